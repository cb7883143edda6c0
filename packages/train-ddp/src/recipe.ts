import { type Average, checkAverages } from './optimizer/averages.js'
import { checkGroups, type ParameterGroup } from './optimizer/groups.js'

/** How an objective is trained: everything but the objective, the data, the seed and the number of steps. Plain data. */
export interface TrainRecipe {
  readonly name: string
  /** Examples per optimizer step. */
  readonly batchSize: number
  /** Examples per forward and backward pass; gradients are accumulated over a batch. `batchSize` by default. */
  readonly microBatchSize?: number
  /** Peak learning rate. */
  readonly learningRate: number
  /** Steps over which the learning rate rises linearly from near 0 to its peak. */
  readonly warmupSteps: number
  /** Course of the learning rate after the warm-up, to `finalLearningRate` at the last step. */
  readonly decay: 'constant' | 'linear' | 'cosine'
  /** As a share of `learningRate`, 0 to 1; of no effect with `constant`. */
  readonly finalLearningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** Decoupled weight decay, multiplied by the learning rate. */
  readonly weightDecay: number
  /** Gradients are scaled down to this global norm; null for no clipping. */
  readonly maxGradientNorm: number | null
  /** Decay of the exponential moving average of the parameters, 0 to 1. */
  readonly emaDecay: number
  /** The decay at step k is at most (1 + k) / (10 + k), so that early averages forget the initialisation. */
  readonly emaWarmup: boolean
  /** Further averages beside `ema`. */
  readonly averages?: readonly Average[]
  /** Parameters that are trained at another rate or decay, or not at all. */
  readonly groups?: readonly ParameterGroup[]
}

/**
 * The reference's recipe: batch 256, a constant learning rate of 1e-4, no warm-up, no clipping, no weight decay, EMA 0.9999
 * from the first step. The process of the reference is the default of `denoising`.
 *
 * Peebles & Xie 2022, section 4.
 */
export const paperRecipe: TrainRecipe = {
  name: 'paper',
  batchSize: 256,
  learningRate: 1e-4,
  warmupSteps: 0,
  decay: 'constant',
  finalLearningRate: 1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradientNorm: null,
  emaDecay: 0.9999,
  emaWarmup: false,
}

/**
 * For runs of hundreds to some ten thousands of steps. It differs from the paper's recipe in a smaller batch, a higher
 * learning rate that warms up and decays, clipping, and an EMA with warm-up: 0.9999 from step 0 would show noise for
 * thousands of steps.
 */
export const smallRecipe: TrainRecipe = {
  ...paperRecipe,
  name: 'small',
  batchSize: 64,
  learningRate: 1e-3,
  warmupSteps: 100,
  decay: 'cosine',
  finalLearningRate: 0.05,
  maxGradientNorm: 1,
  emaDecay: 0.999,
  emaWarmup: true,
}

/**
 * For small pictures in pixels and minutes of a CPU: batches of 32, a higher learning rate, and averages that forget sooner. Made for a network that
 * predicts x0; chosen among those that [docs/choosing.md](../../../docs/choosing.md) compares.
 */
export const picturesRecipe: TrainRecipe = {
  ...smallRecipe,
  name: 'pictures',
  batchSize: 32,
  learningRate: 2e-3,
  beta2: 0.99,
  emaDecay: 0.998,
}

/** Recipes by name. */
export const RECIPES: Readonly<Record<string, TrainRecipe>> = {
  pictures: picturesRecipe,
  small: smallRecipe,
  paper: paperRecipe,
}

/**
 * Checks what a recipe must satisfy before any work starts.
 *
 * @throws RangeError that names the field
 */
export function checkRecipe(recipe: TrainRecipe): void {
  const unknown = Object.keys(recipe).find((field) => !FIELDS.has(field))
  if (unknown === 'diffusion' || unknown === 'timestepSampler') {
    throw new RangeError(
      `recipe: ${unknown} is a setting of the objective: classConditional(model, process, { timestepSampler })`,
    )
  }
  if (unknown !== undefined) throw new RangeError(`recipe: there is no field ${unknown}`)
  const positive = (field: 'batchSize' | 'microBatchSize') => {
    const value = recipe[field]
    if (value !== undefined && !(Number.isInteger(value) && value > 0)) fail(field, 'a positive integer', value)
  }
  positive('batchSize')
  positive('microBatchSize')
  if (!(recipe.learningRate >= 0 && Number.isFinite(recipe.learningRate))) {
    fail('learningRate', 'a finite number, 0 or more', recipe.learningRate)
  }
  if (!(Number.isInteger(recipe.warmupSteps) && recipe.warmupSteps >= 0)) {
    fail('warmupSteps', 'an integer, 0 or more', recipe.warmupSteps)
  }
  checkChoice('decay', recipe.decay, ['constant', 'linear', 'cosine'])
  for (const field of ['beta1', 'beta2', 'emaDecay'] as const) {
    if (!(typeof recipe[field] === 'number' && recipe[field] >= 0 && recipe[field] < 1))
      fail(field, 'in [0, 1)', recipe[field])
  }
  if (!(recipe.finalLearningRate >= 0 && recipe.finalLearningRate <= 1)) {
    fail('finalLearningRate', 'a share between 0 and 1', recipe.finalLearningRate)
  }
  if (!(recipe.epsilon > 0)) fail('epsilon', 'above 0', recipe.epsilon)
  if (!(recipe.weightDecay >= 0)) fail('weightDecay', '0 or more', recipe.weightDecay)
  if (recipe.maxGradientNorm !== null && !(recipe.maxGradientNorm > 0)) {
    fail('maxGradientNorm', 'above 0, or null', recipe.maxGradientNorm)
  }
  checkAverages(recipe.averages ?? [])
  checkGroups(recipe.groups ?? [])
}

const FIELDS = new Set(
  Object.keys({ ...paperRecipe, microBatchSize: 1, averages: [], groups: [] } satisfies Required<TrainRecipe>),
)

function fail(field: string, must: string, value: unknown): never {
  throw new RangeError(`recipe: ${field} must be ${must} (got ${String(value)})`)
}

/** Throws a RangeError unless the value is one of the choices. */
export function checkChoice(field: string, value: string, choices: readonly string[], who = 'recipe'): void {
  if (choices.includes(value)) return
  throw new RangeError(`${who}: ${field} must be one of ${choices.join(', ')} (got ${value})`)
}
