import { type Communicator, singleCommunicator } from '@dit/collectives'
import type { Backend, Params } from '@dit/tensor'
import type { BatchSource } from './batch.js'
import type { KeepBest } from './checkpoint/best.js'
import { type Evaluate, evaluationsOf } from './evaluate.js'
import { checkShapes } from './objective/check-shapes.js'
import { completed, type Objective, type ParameterTable } from './objective/objective.js'
import { adamw } from './optimizer/adamw.js'
import type { Optimizer } from './optimizer/optimizer.js'
import { checkChoice, checkRecipe, type TrainRecipe } from './recipe.js'
import type { RunStore } from './run/run-store.js'
import type { StateSetting } from './state.js'
import type { StepSetting } from './step.js'

export interface TrainOptions {
  /** What is learned: `classConditional(config)` for a DiT, `denoising(network)` for a network of yours, or anything else. */
  readonly objective: Objective
  readonly recipe: TrainRecipe
  readonly data: BatchSource
  readonly backend: Backend
  /** Of everything random: initialisation, noise, timesteps, dropout. The data has its own. */
  readonly seed: number
  /** Optimizer steps of the whole run, those before a resume included. */
  readonly steps: number
  /**
   * Parameters to begin with, in place of those that the objective initialises: trained ones, for fine-tuning. The caller keeps them, and
   * may dispose of them once the run has begun; a resumed run takes those of its checkpoint.
   */
  readonly initial?: Params
  /** In place of AdamW with the recipe's settings. */
  readonly optimizer?: Optimizer
  /** Where the run is kept; without one nothing is saved. Used by rank 0 only, or by every rank with `shardCheckpoint`. */
  readonly store?: RunStore
  /** The workers of the job; by default this one alone. Every rank calls `train` with the same options. */
  readonly communicator?: Communicator
  /** Each worker keeps a part of the optimizer's state and of the averages instead of all (ZeRO stage 1). */
  readonly shardOptimizer?: boolean
  /** Each worker writes a part of every checkpoint, into a store that all share, instead of rank 0 alone. */
  readonly shardCheckpoint?: boolean
  /** Bytes of gradients that travel between workers as one, roughly (default 4 MiB). */
  readonly bucketBytes?: number
  /** `stop` ends the run if a checkpoint or the log cannot be written; `continue` goes on and tries again (default stop). */
  readonly onSaveError?: 'stop' | 'continue'
  /** `auto` continues from the newest whole checkpoint of the store; `never` refuses a store that has one. */
  readonly resume?: 'auto' | 'never'
  /** Resume even if the result will differ from an unbroken run (another engine, seed or length). */
  readonly allowInexact?: boolean
  /** `block` trades a second forward pass for the memory of the blocks' intermediates; a number does so for as many blocks. */
  readonly recompute?: 'none' | 'block' | number
  readonly checkpoint?: {
    /** Steps between checkpoints; one is written at the end in any case. */
    readonly every?: number
    readonly keepLast?: number
    readonly keepEvery?: number | null
    /**
     * Also keep the checkpoint that is best by a measure of `evaluate`. One is written whenever a step is better than all before it;
     * `checkpoints/best.json` names it. A resumed run without `evaluate` keeps the one that it has.
     */
    readonly keepBest?: KeepBest | null
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
  /** What measures the averaged parameters every so many steps and after the last one; several may have schedules of their own. */
  readonly evaluate?: Evaluate | readonly Evaluate[]
  /** Once aborted, the run saves a checkpoint and ends after the step in hand. */
  readonly signal?: AbortSignal
}

/** Large enough that starting a transfer costs nothing beside it, small enough that the first leaves early. */
const BUCKET_BYTES = 2 ** 22

/**
 * Options with their defaults, as a step and the state need them.
 *
 * @throws RangeError or TypeError that names the option
 */
export function checkOptions(options: TrainOptions): StepSetting & StateSetting {
  const { recipe, backend, seed, steps, recompute = 'none', checkpoint, sample } = options
  const { communicator = singleCommunicator(), shardOptimizer = false, bucketBytes = BUCKET_BYTES } = options
  if (typeof options.objective?.losses !== 'function') {
    throw new TypeError('train: objective must be an Objective, such as classConditional(config) for a DiT')
  }
  if (typeof recipe !== 'object' || recipe === null) {
    throw new TypeError('train: recipe must be an object such as smallRecipe')
  }
  checkRecipe(recipe)
  if (typeof options.data?.rows !== 'function') {
    throw new TypeError('train: data must have a function rows(step, start, end), as wholeBatches makes it')
  }
  if (backend instanceof Promise) {
    throw new TypeError(
      'train: backend must be an engine, not a promise of one: write `await` before the call that makes it',
    )
  }
  if (typeof backend?.kernels !== 'object') throw new TypeError('train: backend must be an engine, such as reference()')
  refuseUnknown('', options, OPTIONS)
  refuseUnknown('checkpoint.', checkpoint ?? {}, ['every', 'keepLast', 'keepEvery', 'keepBest'])
  checkKeepBest(options)
  const objective = completed(options.objective)
  const positive: [string, number | null | undefined][] = [
    ['steps', steps],
    ['checkpoint.every', checkpoint?.every],
    ['checkpoint.keepLast', checkpoint?.keepLast],
    ['checkpoint.keepEvery', checkpoint?.keepEvery],
    ['sample.every', sample?.every],
    ...evaluationsOf(options.evaluate).map(({ every }): [string, number] => ['evaluate.every', every]),
    ['bucketBytes', bucketBytes],
  ]
  for (const [name, value] of positive) {
    if (value !== undefined && value !== null && !(Number.isSafeInteger(value) && value > 0)) {
      throw new RangeError(`train: ${name} must be a positive integer (got ${value})`)
    }
  }
  checkRecompute(recompute, objective.blocks)
  checkChoice('onSaveError', options.onSaveError ?? 'stop', ['stop', 'continue'], 'train')
  if (recipe.batchSize < communicator.size) {
    throw new RangeError(`train: a batch of ${recipe.batchSize} is too small for ${communicator.size} workers`)
  }
  if (shardOptimizer && communicator.size > 1 && !backend.supportsViews) {
    throw new RangeError(`train: shardOptimizer needs parts of tensors, which ${backend.name} does not have`)
  }
  checkChoice('resume', options.resume ?? 'auto', ['auto', 'never'], 'train')
  const { optimizer = adamw(recipe), initial } = options
  if (initial !== undefined) checkInitial(initial, objective.parameters, backend)
  const { groups = [], averages = [] } = recipe
  const { unit } = optimizer
  if (unit !== 'element' && unit !== 'matrix') {
    throw new RangeError(`train: the optimizer's unit must be element or matrix (got ${String(unit)})`)
  }
  const kept = ['ema', ...averages.map(({ name }) => name)]
  const twice = optimizer.slots.find((slot, i) => kept.includes(slot) || optimizer.slots.indexOf(slot) !== i)
  if (twice !== undefined) throw new RangeError(`train: the optimizer has a slot ${twice} twice, or as an average`)
  const state = { optimizer, groups, averages, shardOptimizer, bucketBytes }
  return { ...state, objective, recipe, backend, seed, initial, steps, recompute, communicator }
}

const OPTIONS: readonly (keyof TrainOptions)[] = [
  'objective',
  'recipe',
  'data',
  'backend',
  'seed',
  'steps',
  'initial',
  'optimizer',
  'store',
  'communicator',
  'shardOptimizer',
  'shardCheckpoint',
  'bucketBytes',
  'onSaveError',
  'resume',
  'allowInexact',
  'recompute',
  'checkpoint',
  'sample',
  'evaluate',
  'signal',
]

function checkKeepBest({ checkpoint }: TrainOptions): void {
  const { keepBest = null } = checkpoint ?? {}
  if (keepBest === null) return
  if (typeof keepBest.measure !== 'string') throw new TypeError('train: checkpoint.keepBest must name a measure')
  checkChoice('checkpoint.keepBest.better', keepBest.better, ['less', 'more'], 'train')
}

function refuseUnknown(prefix: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === 'model') throw new RangeError('train: model is an objective now: classConditional(model)')
  if (unknown !== undefined) throw new RangeError(`train: there is no option ${prefix}${unknown}`)
}

function checkInitial(initial: Params, parameters: ParameterTable, backend: Backend): void {
  checkShapes('train: initial', parameters, initial)
  const unknown = Object.keys(initial).find((name) => !(name in parameters))
  if (unknown !== undefined) throw new RangeError(`train: initial has ${unknown}, which the objective does not train`)
  const stray = Object.entries(initial).find(([, tensor]) => tensor.backend !== backend)
  if (stray !== undefined) {
    const [name, tensor] = stray
    throw new TypeError(
      `train: initial must live on the run's own backend, ${backend.name} (${name} is on another one, ${tensor.backend.name})`,
    )
  }
}

function checkRecompute(recompute: 'none' | 'block' | number, blocks: number): void {
  if (typeof recompute !== 'number') checkChoice('recompute', recompute, ['none', 'block'], 'train')
  else if (!Number.isInteger(recompute) || recompute < 0 || recompute > blocks) {
    throw new RangeError(`train: recompute must be none, block or a number of blocks, 0..${blocks} (got ${recompute})`)
  }
  if (recompute !== 'none' && recompute !== 0 && blocks === 0) {
    throw new RangeError(`train: recompute needs blocks, which the objective does not have (got ${recompute})`)
  }
}
