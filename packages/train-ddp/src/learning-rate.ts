import type { Average } from './optimizer/averages.js'
import { powerDecay } from './optimizer/power-average.js'
import type { TrainRecipe } from './recipe.js'

/**
 * Learning rate of a step:
 *
 *   step <= warmupSteps:  learningRate * step / warmupSteps
 *   after:                learningRate * (final + (1 - final) * f(p)),  p = (step - warmupSteps) / (steps - warmupSteps)
 *
 * with f(p) = 1 (constant), 1 - p (linear) or (1 + cos(pi p)) / 2 (cosine; Loshchilov & Hutter 2017, "SGDR", eq. 5).
 *
 * @param step  number of the step, from 1
 * @param steps length of the run
 */
export function learningRateAt(recipe: TrainRecipe, step: number, steps: number): number {
  const { learningRate, warmupSteps, decay, finalLearningRate } = recipe
  if (step <= warmupSteps) return (learningRate * step) / warmupSteps
  if (decay === 'constant') return learningRate
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps))
  const share = decay === 'linear' ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2
  return learningRate * (finalLearningRate + (1 - finalLearningRate) * share)
}

/**
 * Decay of `ema` after a step, from 1. With warm-up it is min(emaDecay, (1 + step) / (10 + step)).
 */
export function emaDecayAt({ emaDecay, emaWarmup }: TrainRecipe, step: number): number {
  return averageDecayAt({ decay: emaDecay, warmup: emaWarmup }, step)
}

/** The same for any average. */
export function averageDecayAt({ decay = 0, warmup = false, width }: Omit<Average, 'name'>, step: number): number {
  if (width !== undefined) return powerDecay(width, step)
  return warmup ? Math.min(decay, (1 + step) / (10 + step)) : decay
}
