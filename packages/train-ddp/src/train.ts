import { gaussianDiffusion } from '@dit/diffusion'
import { type DiTConfig, initParams, outChannels } from '@dit/model'
import { emptyLossHistory } from '@dit/schedules'
import { type Backend, dispose, type Params } from '@dit/tensor'
import type { BatchSource, TrainBatch } from './batch.js'
import { resumeDifferences } from './checkpoint/differences.js'
import { findCheckpoint, loadState, readCounters } from './checkpoint/load.js'
import { type KeepPolicy, pruneCheckpoints } from './checkpoint/prune.js'
import { saveCheckpoint } from './checkpoint/save.js'
import { InexactResumeError, NonFiniteLossError, type TrainEvent } from './events.js'
import { checkChoice, checkRecipe, type TrainRecipe } from './recipe.js'
import { type LogMark, logProblem, type LogWriter, openLog } from './run/log.js'
import type { RunStore } from './run/run-store.js'
import { createState, disposeState, type TrainState } from './state.js'
import { type StepSetting, trainStep } from './step.js'

export interface TrainOptions {
  readonly model: DiTConfig
  readonly recipe: TrainRecipe
  readonly data: BatchSource
  readonly backend: Backend
  /** Of everything random: initialisation, noise, timesteps, dropout. The data has its own. */
  readonly seed: number
  /** Optimizer steps of the whole run, those before a resume included. */
  readonly steps: number
  /** Where the run is kept; without one nothing is saved. */
  readonly store?: RunStore
  /** `auto` continues from the newest whole checkpoint of the store; `never` refuses a store that has one. */
  readonly resume?: 'auto' | 'never'
  /** Resume even where the result will differ from an unbroken run (another engine, seed or length). */
  readonly allowInexact?: boolean
  /** `block` trades a second forward pass for the memory of the blocks' intermediates. */
  readonly recompute?: 'none' | 'block'
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
  const { store, steps, sample, signal, checkpoint } = options
  const keepPolicy: KeepPolicy = { last: checkpoint?.keepLast ?? 3, every: checkpoint?.keepEvery ?? null }
  const unlock = await store?.lock()
  const state = initialState(setting)
  try {
    const { log, path, notices } = store === undefined ? NOTHING_SAVED : await resume(options, store, state)
    let lastCheckpoint = path
    yield { type: 'start', step: state.step, steps, resumedFrom: lastCheckpoint, notices }

    const save = async function* (): AsyncGenerator<TrainEvent, void, void> {
      if (store === undefined || log === null || state.step === 0) return
      await log.flush()
      const { path, bytes } = await saveCheckpoint(store, state, {
        format: 'dit-state-1',
        step: state.step,
        seed: options.seed,
        steps,
        engine: options.backend.name,
        model: options.model,
        recipe: options.recipe,
        logBytes: log.bytes,
        lossHistory: state.lossHistory,
      })
      lastCheckpoint = path
      await pruneCheckpoints(store, keepPolicy)
      yield { type: 'checkpoint', step: state.step, path, bytes }
    }

    const isDue = (every: number | undefined) => every !== undefined && state.step % every === 0
    const sampled = async function* (): AsyncGenerator<TrainEvent, void, void> {
      if (sample === undefined || state.step === 0 || !(isDue(sample.every) || state.step === steps)) return
      await sample.run({ step: state.step, ema: state.ema })
      yield { type: 'sample', step: state.step }
    }
    if (state.step > 0 && (await sample?.isMade?.(state.step)) !== true) yield* sampled()
    let savedStep = state.step
    while (state.step < steps && !signal?.aborted) {
      const batch = await options.data.batch(state.step)
      checkBatch(setting, batch)
      const record = await trainStep(setting, state, batch)
      if (!Number.isFinite(record.loss))
        throw new NonFiniteLossError(record.step, `the loss is ${record.loss}`, lastCheckpoint)
      if (!Number.isFinite(record.gradNorm)) {
        throw new NonFiniteLossError(record.step, `the norm of the gradient is ${record.gradNorm}`, lastCheckpoint)
      }
      await log?.append(record)
      yield { type: 'step', record }
      if (isDue(checkpoint?.every) || state.step === steps) {
        yield* save()
        savedStep = state.step
      }
      yield* sampled()
    }
    if (savedStep !== state.step) yield* save()
    const reason = state.step < steps ? 'stopped' : 'finished'
    yield { type: 'end', step: state.step, reason, params: state.params, ema: state.ema }
  } finally {
    disposeState(state)
    await unlock?.()
  }
}

function initialState({ model, backend, seed, recipe, diffusion }: StepSetting): TrainState {
  const params = initParams(model, { seed, backend })
  const state = createState(model, params, backend)
  dispose(params)
  if (recipe.timestepSampler === 'lossSecondMoment') state.lossHistory = emptyLossHistory(diffusion.numTimesteps)
  return state
}

/** What a run begins from. */
interface Beginning {
  readonly log: LogWriter | null
  /** Of the checkpoint, if there is one. */
  readonly path: string | null
  readonly notices: readonly string[]
}

const NOTHING_SAVED: Beginning = { log: null, path: null, notices: [] }

/** Fills the state from the newest whole checkpoint and opens the log where that was written. */
async function resume(options: TrainOptions, store: RunStore, state: TrainState): Promise<Beginning> {
  const { resume: mode = 'auto', allowInexact = false, backend } = options
  const found = await findCheckpoint(store)
  if (found === null) return { ...NOTHING_SAVED, log: await openLog(store, { bytes: 0, step: 0 }) }
  if (mode === 'never') throw new RangeError(`train: ${store.location} already holds a run (at step ${found.step})`)
  const counters = await readCounters(store, found.path)
  const differences = resumeDifferences(counters, { ...options, engine: backend.name })
  const mark: LogMark = { bytes: counters.logBytes, step: counters.step }
  const problem = await logProblem(store, mark)
  const inexact = [...differences, ...(problem === null ? [] : [problem])]
  if (inexact.length > 0 && !allowInexact) {
    throw new InexactResumeError(
      `train: resuming ${found.path} would not repeat an unbroken run: ${inexact.join('; ')}. Pass allowInexact (--allow-inexact) to go on`,
    )
  }
  await loadState(store, found.path, state, counters)
  const log = await openLog(store, mark)
  return { log, path: found.path, notices: [...found.notices, ...inexact.map((why) => `resumed inexactly: ${why}`)] }
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
}: TrainOptions): StepSetting {
  checkRecipe(recipe)
  const positive: [string, number | null | undefined][] = [
    ['steps', steps],
    ['checkpoint.every', checkpoint?.every],
    ['checkpoint.keepLast', checkpoint?.keepLast],
    ['checkpoint.keepEvery', checkpoint?.keepEvery],
    ['sample.every', sample?.every],
  ]
  for (const [name, value] of positive) {
    if (value !== undefined && value !== null && !(Number.isSafeInteger(value) && value > 0)) {
      throw new RangeError(`train: ${name} must be a positive integer (got ${value})`)
    }
  }
  checkChoice('recompute', recompute, ['none', 'block'])
  checkChoice('resume', resumeMode, ['auto', 'never'])
  const diffusion = gaussianDiffusion(recipe.diffusion)
  const learnsVariance = diffusion.varianceType.startsWith('learned')
  if (learnsVariance !== model.learnSigma) {
    throw new RangeError(
      `train: the model has ${outChannels(model)} output channels, but the recipe's variance type is ${diffusion.varianceType}; set learnSigma to ${learnsVariance}`,
    )
  }
  return { model, recipe, diffusion, backend, seed, steps, recompute }
}

function checkBatch({ model, recipe }: StepSetting, batch: TrainBatch): void {
  const [height, width] = typeof model.inputSize === 'number' ? [model.inputSize, model.inputSize] : model.inputSize
  if (!(batch?.x0 instanceof Float32Array) || !(batch.labels instanceof Int32Array)) {
    throw new TypeError('train: data.batch must give { x0: Float32Array, labels: Int32Array }')
  }
  const { x0, labels } = batch
  if (labels.length !== recipe.batchSize || x0.length !== labels.length * model.inChannels * height * width) {
    throw new RangeError(
      `train: a batch must hold ${recipe.batchSize} examples of [${model.inChannels}, ${height}, ${width}] (got ${labels.length} labels and ${x0.length} values)`,
    )
  }
  const wrong = labels.find((label) => label < 0 || label >= model.numClasses)
  if (wrong !== undefined) throw new RangeError(`train: labels must be in 0..${model.numClasses - 1} (got ${wrong})`)
}
