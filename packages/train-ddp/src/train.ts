import { gaussianDiffusion } from '@dit/diffusion'
import { type DiTConfig, initParams, outChannels } from '@dit/model'
import { emptyLossHistory } from '@dit/schedules'
import { type Backend, dispose, type Params } from '@dit/tensor'
import type { BatchSource } from './batch.js'
import { findCheckpoint, loadState, readCounters } from './checkpoint/load.js'
import { type KeepPolicy, pruneCheckpoints } from './checkpoint/prune.js'
import { saveCheckpoint } from './checkpoint/save.js'
import { InexactResumeError, NonFiniteLossError, type TrainEvent } from './events.js'
import { checkRecipe, type TrainRecipe } from './recipe.js'
import { openLog } from './run/log.js'
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
  /** Called every so many steps and after the last one, with the averaged parameters. */
  readonly sample?: { readonly every: number; run(context: { step: number; ema: Params }): Promise<void> }
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
 * @throws RangeError for options that cannot be; NonFiniteLossError; InexactResumeError; DamagedCheckpointError
 *
 * Peebles & Xie 2022, section 4, whose settings are `paperRecipe`.
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainEvent, void, void> {
  const setting = checkOptions(options)
  const { store, steps, sample, signal, checkpoint } = options
  const keepPolicy: KeepPolicy = { last: checkpoint?.keepLast ?? 3, every: checkpoint?.keepEvery ?? null }
  const state = initialState(setting)
  try {
    const resumed = store === undefined ? null : await resume(options, store, state)
    let lastCheckpoint = resumed?.path ?? null
    const log = store === undefined ? null : await openLog(store, resumed?.logBytes ?? 0)
    yield { type: 'start', step: state.step, steps, resumedFrom: lastCheckpoint, notices: resumed?.notices ?? [] }

    const save = async function* (): AsyncGenerator<TrainEvent, void, void> {
      if (store === undefined || log === null || state.step === 0) return
      await log.flush()
      const { path, bytes } = await saveCheckpoint(store, state, {
        format: 'dit-state-1',
        step: state.step,
        seed: options.seed,
        steps,
        engine: options.backend.name,
        logBytes: log.bytes,
        lossHistory: state.lossHistory,
      })
      lastCheckpoint = path
      await pruneCheckpoints(store, keepPolicy)
      yield { type: 'checkpoint', step: state.step, path, bytes }
    }

    const isDue = (every: number | undefined) => every !== undefined && state.step % every === 0
    let savedStep = state.step
    while (state.step < steps && !signal?.aborted) {
      const batch = await options.data.batch(state.step)
      checkBatch(setting, batch.x0.length, batch.labels.length)
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
      if (sample !== undefined && (isDue(sample.every) || state.step === steps)) {
        await sample.run({ step: state.step, ema: state.ema })
        yield { type: 'sample', step: state.step }
      }
    }
    if (savedStep !== state.step) yield* save()
    const reason = state.step < steps ? 'stopped' : 'finished'
    yield { type: 'end', step: state.step, reason, params: state.params, ema: state.ema }
  } finally {
    disposeState(state)
  }
}

function initialState({ model, backend, seed, recipe, diffusion }: StepSetting): TrainState {
  const params = initParams(model, { seed, backend })
  const state = createState(model, params, backend)
  dispose(params)
  if (recipe.timestepSampler === 'lossSecondMoment') state.lossHistory = emptyLossHistory(diffusion.numTimesteps)
  return state
}

async function resume(
  { resume: mode = 'auto', allowInexact = false, seed, steps, backend, recipe }: TrainOptions,
  store: RunStore,
  state: TrainState,
): Promise<{ path: string; logBytes: number; notices: string[] } | null> {
  const found = await findCheckpoint(store)
  if (found === null) return null
  if (mode === 'never') throw new RangeError(`train: ${store.location} already holds a run (at step ${found.step})`)
  const counters = await readCounters(store, found.path)
  const differences = [
    counters.engine === backend.name ? null : `the engine was ${counters.engine} and is ${backend.name}`,
    counters.seed === seed ? null : `the seed was ${counters.seed} and is ${seed}`,
    counters.steps === steps || recipe.decay === 'constant'
      ? null
      : `the run was planned for ${counters.steps} steps and now for ${steps}`,
  ].filter((difference) => difference !== null)
  if (differences.length > 0 && !allowInexact) {
    throw new InexactResumeError(
      `train: resuming ${found.path} would not repeat an unbroken run: ${differences.join('; ')}. Pass allowInexact (--allow-inexact) to go on`,
    )
  }
  await loadState(store, found.path, state, counters)
  const notices = [...found.notices, ...differences.map((difference) => `resumed inexactly: ${difference}`)]
  return { path: found.path, logBytes: counters.logBytes, notices }
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
}: TrainOptions): StepSetting {
  checkRecipe(recipe)
  const positive: [string, number | undefined][] = [
    ['steps', steps],
    ['checkpoint.every', checkpoint?.every],
    ['checkpoint.keepLast', checkpoint?.keepLast],
    ['sample.every', sample?.every],
  ]
  for (const [name, value] of positive) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new RangeError(`train: ${name} must be a positive integer (got ${value})`)
    }
  }
  const diffusion = gaussianDiffusion(recipe.diffusion)
  const learnsVariance = diffusion.varianceType.startsWith('learned')
  if (learnsVariance !== model.learnSigma) {
    throw new RangeError(
      `train: the model has ${outChannels(model)} output channels, but the recipe's variance type is ${diffusion.varianceType}; set learnSigma to ${learnsVariance}`,
    )
  }
  return { model, recipe, diffusion, backend, seed, steps, recompute }
}

function checkBatch({ model, recipe }: StepSetting, values: number, examples: number): void {
  const [height, width] = typeof model.inputSize === 'number' ? [model.inputSize, model.inputSize] : model.inputSize
  const size = model.inChannels * height * width
  if (examples !== recipe.batchSize || values !== examples * size) {
    throw new RangeError(
      `train: a batch must hold ${recipe.batchSize} examples of [${model.inChannels}, ${height}, ${width}] (got ${examples} labels and ${values} values)`,
    )
  }
}
