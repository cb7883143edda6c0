import {
  anyRank,
  CommunicationError,
  type Communicator,
  onRankZero,
  sharedText,
  singleCommunicator,
} from '@dit/collectives'
import { gaussianDiffusion } from '@dit/diffusion'
import { type DiTConfig, initParams, outChannels } from '@dit/model'
import { emptyLossHistory } from '@dit/schedules'
import type { Backend, Params } from '@dit/tensor'
import { type BatchSource, rowsOf, sliceBatch, type TrainBatch } from './batch.js'
import type { SavedCounters } from './checkpoint/counters.js'
import { resumeDifferences } from './checkpoint/differences.js'
import { findCheckpoint, loadTensors, readCounters } from './checkpoint/load.js'
import { type KeepPolicy, pruneCheckpoints } from './checkpoint/prune.js'
import { saveCheckpoint } from './checkpoint/save.js'
import { saveShards } from './checkpoint/save-shards.js'
import { InexactResumeError, NonFiniteLossError, type TrainEvent } from './events.js'
import { type LossScale, shrunkLossScale } from './loss-scale.js'
import { checkReplicas } from './parallel/check-replicas.js'
import { wholeEma } from './parallel/gather-ema.js'
import { checkChoice, checkRecipe, type TrainRecipe } from './recipe.js'
import { type LogMark, logProblem, type LogWriter, openLog } from './run/log.js'
import type { RunStore } from './run/run-store.js'
import { createState, disposeState, type TrainState } from './state.js'
import { type BatchRows, type StepSetting, trainStep } from './step.js'

export interface TrainOptions {
  readonly model: DiTConfig
  readonly recipe: TrainRecipe
  readonly data: BatchSource
  readonly backend: Backend
  /** Of everything random: initialisation, noise, timesteps, dropout. The data has its own. */
  readonly seed: number
  /** Optimizer steps of the whole run, those before a resume included. */
  readonly steps: number
  /** Where the run is kept; without one nothing is saved. Rank 0 alone uses it, and all ranks with `shardCheckpoint`. */
  readonly store?: RunStore
  /** The workers of the job; by default this one alone. Every rank calls `train` with the same options. */
  readonly communicator?: Communicator
  /** Each worker keeps a part of the moments and averages instead of all (ZeRO stage 1). */
  readonly shardOptimizer?: boolean
  /** Each worker writes a part of every checkpoint, into a store that all share, instead of rank 0 alone. */
  readonly shardCheckpoint?: boolean
  /** Bytes of gradients that travel between workers as one, roughly (default 4 MiB). */
  readonly bucketBytes?: number
  /** `stop` ends the run where a checkpoint or the log cannot be written; `continue` goes on and tries again (default stop). */
  readonly onSaveError?: 'stop' | 'continue'
  /** `auto` continues from the newest whole checkpoint of the store; `never` refuses a store that has one. */
  readonly resume?: 'auto' | 'never'
  /** Resume even where the result will differ from an unbroken run (another engine, seed or length). */
  readonly allowInexact?: boolean
  /** `block` trades a second forward pass for the memory of the blocks' intermediates; a number does so for as many blocks. */
  readonly recompute?: 'none' | 'block' | number
  readonly checkpoint?: {
    /** Steps between checkpoints; one is written at the end in any case. */
    readonly every?: number
    readonly keepLast?: number
    readonly keepEvery?: number | null
  }
  /**
   * Called every so many steps and after the last one, with the averaged parameters, once the checkpoint of that step is
   * written. A resumed run calls it for the step it resumes from, unless `isMade` says that this was done.
   */
  readonly sample?: {
    readonly every: number
    run(context: { step: number; ema: Params }): Promise<void>
    isMade?(step: number): Promise<boolean>
  }
  /** Once aborted, the run saves a checkpoint and ends after the step in hand. */
  readonly signal?: AbortSignal
}

/**
 * Trains a DiT and reports every step. A run that was stopped anywhere, also by a power cut, and is called again with the
 * same options continues from its newest checkpoint, and ends in the same bytes as an unbroken one: parameters, averages,
 * moments and log.
 *
 * ```js
 * for await (const event of train({ model, recipe, data, backend, seed: 0, steps: 1000 })) {
 *   if (event.type === 'step') console.log(event.record.loss)
 * }
 * ```
 *
 * @throws RangeError or TypeError for options and data that cannot be; NonFiniteLossError; InexactResumeError;
 *   DamagedCheckpointError; RunLockedError while another process writes to the store
 *
 * Peebles & Xie 2022, section 4, whose settings are `paperRecipe`.
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainEvent, void, void> {
  const setting = checkOptions(options)
  const { steps, sample, signal, checkpoint, backend } = options
  const { communicator } = setting
  const { rank } = communicator
  const store = rank === 0 ? options.store : undefined
  const savesAnything = await anyRank(communicator, store !== undefined)
  const savesShards = options.shardCheckpoint === true && communicator.size > 1
  if (savesAnything && savesShards && (await anyRank(communicator, options.store === undefined))) {
    throw new RangeError('train: shardCheckpoint needs the store on every rank')
  }
  const unlock = await store?.lock()
  const state = initialState(setting, options)
  try {
    const { log, path, notices } = savesAnything ? await resume(options, setting, store, state) : NOTHING_SAVED
    let lastCheckpoint = path
    yield { type: 'start', step: state.step, steps, resumedFrom: lastCheckpoint, notices }

    const saveFailed = (what: 'log' | 'checkpoint', error: unknown): TrainEvent => {
      if (options.onSaveError !== 'continue' || error instanceof CommunicationError) throw error
      return { type: 'save-failed', what, step: state.step, error }
    }
    const counters = () => ({ ...countersOf(options, setting, state), logBytes: log!.bytes })
    const keepPolicy: KeepPolicy = { last: checkpoint?.keepLast ?? 3, every: checkpoint?.keepEvery ?? null }
    const saving = {
      communicator,
      store: savesShards ? options.store : store,
      state,
      counters,
      before: () => log!.flush(),
      after: () => pruneCheckpoints(store!, keepPolicy),
    }
    const save = async function* (): AsyncGenerator<TrainEvent, void, void> {
      if (!savesAnything || state.step === 0) return
      await checkReplicas(communicator, state.trainable.segments)
      try {
        const saved = await (savesShards ? saveShards : saveCheckpoint)(saving)
        if (saved === undefined) return
        lastCheckpoint = saved.path
        yield { type: 'checkpoint', step: state.step, ...saved }
      } catch (error) {
        yield saveFailed('checkpoint', error)
      }
    }

    const isDue = (every: number | undefined) => every !== undefined && state.step % every === 0
    const sampled = async function* (): AsyncGenerator<TrainEvent, void, void> {
      if (sample === undefined || state.step === 0 || !(isDue(sample.every) || state.step === steps)) return
      const ema = await wholeEma(state, rank, backend)
      const draw = async () => sample.run({ step: state.step, ema: ema.params! })
      await onRankZero(communicator, draw, async () => {}).finally(() => ema.dispose())
      yield { type: 'sample', step: state.step }
    }
    const isMade = rank === 0 && (await sample?.isMade?.(state.step)) === true
    if (state.step > 0 && !(await anyRank(communicator, isMade))) yield* sampled()
    let savedStep = state.step
    while (state.step < steps && !(await anyRank(communicator, signal?.aborted === true))) {
      const record = await trainStep(setting, state, await rowsOfStep(options, setting, state.step))
      if (!Number.isFinite(record.loss))
        throw new NonFiniteLossError(record.step, `the loss is ${record.loss}`, lastCheckpoint)
      const scale = Number.isFinite(record.gradNorm) ? null : shrunkLossScale(state.lossScale)
      if (scale !== null) {
        state.lossScale = scale
        yield { type: 'loss-scale', step: record.step, scale: scale.value }
        continue
      }
      if (!Number.isFinite(record.gradNorm)) {
        throw new NonFiniteLossError(record.step, `the norm of the gradient is ${record.gradNorm}`, lastCheckpoint)
      }
      try {
        await log?.append(record)
      } catch (error) {
        yield saveFailed('log', error)
      }
      yield { type: 'step', record, traffic: communicator.traffic() }
      if (isDue(checkpoint?.every) || state.step === steps) {
        yield* save()
        savedStep = state.step
      }
      yield* sampled()
    }
    if (savedStep !== state.step) yield* save()
    const reason = state.step < steps ? 'stopped' : 'finished'
    const ema = await wholeEma(state, rank, backend)
    try {
      yield { type: 'end', step: state.step, reason, params: state.params, ema: ema.params ?? {} }
    } finally {
      ema.dispose()
    }
  } finally {
    disposeState(state)
    await unlock?.()
  }
}

/** Large enough that starting a transfer costs nothing beside it, small enough that the first leaves early. */
const BUCKET_BYTES = 2 ** 22

function initialState(
  { model, backend, seed, recipe, diffusion, communicator }: StepSetting,
  { shardOptimizer = false, bucketBytes = BUCKET_BYTES }: TrainOptions,
): TrainState {
  const params = initParams(model, { seed, backend })
  const state = createState(model, params, backend, { communicator, shardOptimizer, bucketBytes })
  if (recipe.timestepSampler === 'lossSecondMoment') state.lossHistory = emptyLossHistory(diffusion.numTimesteps)
  return state
}

/** This worker's examples of a step's global batch, checked. */
async function rowsOfStep({ data }: TrainOptions, setting: StepSetting, step: number): Promise<BatchRows> {
  const { batchSize } = setting.recipe
  const [start, end] = rowsOf(setting.communicator.rank, setting.communicator.size, batchSize)
  if (data.rows !== undefined && setting.communicator.size > 1) {
    const rows = await data.rows(step, start, end)
    checkBatch(setting, rows, end - start)
    return { ...rows, start }
  }
  const batch = await data.batch(step)
  checkBatch(setting, batch, batchSize)
  return { ...sliceBatch(batch, start, end), start }
}

/** What `state.json` holds, but for the log. */
function countersOf(
  { seed, steps, backend, model, recipe, shardOptimizer = false }: TrainOptions,
  { communicator }: StepSetting,
  { step, lossHistory, lossScale }: TrainState,
): Omit<SavedCounters, 'logBytes'> {
  const { size: workers, name } = communicator
  const parallel = { workers, communicator: name, shardOptimizer: shardOptimizer && workers > 1 }
  const scale = lossScale === null ? {} : { lossScale }
  return {
    format: 'dit-state-1',
    step,
    seed,
    steps,
    engine: backend.name,
    model,
    recipe,
    lossHistory,
    ...scale,
    parallel,
  }
}

/** What a run begins from. */
interface Beginning {
  readonly log: LogWriter | null
  /** Of the checkpoint, if there is one. */
  readonly path: string | null
  readonly notices: readonly string[]
}

const NOTHING_SAVED: Beginning = { log: null, path: null, notices: [] }

/** What rank 0 tells the others about the checkpoint that a run goes on from. */
interface Resumption {
  readonly path: string
  readonly step: number
  readonly lossHistory: TrainState['lossHistory']
  readonly lossScale?: LossScale | undefined
  readonly notices: readonly string[]
}

/** Fills the state from the newest whole checkpoint and opens the log where that was written. Every rank calls it. */
async function resume(
  options: TrainOptions,
  setting: StepSetting,
  store: RunStore | undefined,
  state: TrainState,
): Promise<Beginning> {
  const { communicator } = setting
  let mark: LogMark = { bytes: 0, step: 0 }
  const find = async (): Promise<Resumption | null> => {
    const found = await findResumption(options, setting, store!, state)
    if (found !== null) mark = { bytes: found.counters.logBytes, step: found.counters.step }
    if (found === null) return null
    const { step, lossHistory, lossScale } = found.counters
    return { ...found, step, lossHistory, lossScale }
  }
  const found = await onRankZero(communicator, find, async () => {})
  const text = await sharedText(communicator, JSON.stringify(found ?? null))
  const resumption = JSON.parse(text) as Resumption | null
  if (resumption !== null) {
    await loadTensors(communicator, store, resumption.path, state)
    state.step = resumption.step
    state.lossHistory = resumption.lossHistory
    // Another engine may have no scale; a checkpoint of another engine has none.
    if (state.lossScale !== null) state.lossScale = resumption.lossScale ?? state.lossScale
  }
  const log = store === undefined ? null : await openLog(store, mark)
  return { log, path: resumption?.path ?? null, notices: resumption?.notices ?? [] }
}

/** The newest whole checkpoint, if a run may go on from it. */
async function findResumption(
  options: TrainOptions,
  setting: StepSetting,
  store: RunStore,
  state: TrainState,
): Promise<{ path: string; counters: SavedCounters; notices: string[] } | null> {
  const { resume: mode = 'auto', allowInexact = false } = options
  const found = await findCheckpoint(store)
  if (found === null) return null
  if (mode === 'never') throw new RangeError(`train: ${store.location} already holds a run (at step ${found.step})`)
  const counters = await readCounters(store, found.path)
  const differences = resumeDifferences(counters, countersOf(options, setting, state))
  const problem = await logProblem(store, { bytes: counters.logBytes, step: counters.step })
  const inexact = [...differences, ...(problem === null ? [] : [problem])]
  if (inexact.length > 0 && !allowInexact) {
    throw new InexactResumeError(
      `train: resuming ${found.path} would not repeat an unbroken run: ${inexact.join('; ')}. Pass allowInexact (--allow-inexact) to go on`,
    )
  }
  const notices = [...found.notices, ...inexact.map((why) => `resumed inexactly: ${why}`)]
  return { path: found.path, counters, notices }
}

function checkOptions({
  model,
  recipe,
  backend,
  seed,
  steps,
  recompute = 'none',
  checkpoint,
  sample,
  resume: resumeMode = 'auto',
  communicator = singleCommunicator(),
  shardOptimizer = false,
  bucketBytes,
  onSaveError = 'stop',
}: TrainOptions): StepSetting {
  checkRecipe(recipe)
  const positive: [string, number | null | undefined][] = [
    ['steps', steps],
    ['checkpoint.every', checkpoint?.every],
    ['checkpoint.keepLast', checkpoint?.keepLast],
    ['checkpoint.keepEvery', checkpoint?.keepEvery],
    ['sample.every', sample?.every],
    ['bucketBytes', bucketBytes],
  ]
  for (const [name, value] of positive) {
    if (value !== undefined && value !== null && !(Number.isSafeInteger(value) && value > 0)) {
      throw new RangeError(`train: ${name} must be a positive integer (got ${value})`)
    }
  }
  checkRecompute(recompute, model.depth)
  checkChoice('onSaveError', onSaveError, ['stop', 'continue'])
  if (recipe.batchSize < communicator.size) {
    throw new RangeError(`train: a batch of ${recipe.batchSize} is too small for ${communicator.size} workers`)
  }
  if (shardOptimizer && communicator.size > 1 && !backend.supportsViews) {
    throw new RangeError(`train: shardOptimizer needs parts of tensors, which ${backend.name} does not have`)
  }
  checkChoice('resume', resumeMode, ['auto', 'never'])
  const diffusion = gaussianDiffusion(recipe.diffusion)
  const learnsVariance = diffusion.varianceType.startsWith('learned')
  if (learnsVariance !== model.learnSigma) {
    throw new RangeError(
      `train: the model has ${outChannels(model)} output channels, but the recipe's variance type is ${diffusion.varianceType}; set learnSigma to ${learnsVariance}`,
    )
  }
  return { model, recipe, diffusion, backend, seed, steps, recompute, communicator }
}

function checkRecompute(recompute: 'none' | 'block' | number, depth: number): void {
  if (typeof recompute !== 'number') return checkChoice('recompute', recompute, ['none', 'block'])
  if (!Number.isInteger(recompute) || recompute < 0 || recompute > depth) {
    throw new RangeError(`train: recompute must be none, block or a number of blocks, 0..${depth} (got ${recompute})`)
  }
}

function checkBatch({ model }: StepSetting, batch: TrainBatch, count: number): void {
  const [height, width] = typeof model.inputSize === 'number' ? [model.inputSize, model.inputSize] : model.inputSize
  if (!(batch?.x0 instanceof Float32Array) || !(batch.labels instanceof Int32Array)) {
    throw new TypeError('train: data.batch must give { x0: Float32Array, labels: Int32Array }')
  }
  const { x0, labels } = batch
  if (labels.length !== count || x0.length !== labels.length * model.inChannels * height * width) {
    throw new RangeError(
      `train: a batch must hold ${count} examples of [${model.inChannels}, ${height}, ${width}] (got ${labels.length} labels and ${x0.length} values)`,
    )
  }
  const wrong = labels.find((label) => label < 0 || label >= model.numClasses)
  if (wrong !== undefined) throw new RangeError(`train: labels must be in 0..${model.numClasses - 1} (got ${wrong})`)
}
