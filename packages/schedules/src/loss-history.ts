import { checkNumTimesteps } from './check.js'

/**
 * The latest losses of every timestep: the whole state of the loss-second-moment sampler.
 *
 * Plain data; JSON keeps every bit of it, so a run that stores it resumes exactly.
 */
export interface LossHistory {
  /** How many losses are kept per timestep. */
  readonly historyPerTerm: number
  /** Share of the uniform distribution in the weights, in [0, 1]. */
  readonly uniformProb: number
  /** `[T]` lists, oldest first, of at most `historyPerTerm` losses. */
  readonly losses: readonly (readonly number[])[]
}

/** Settings of a new `LossHistory`. */
export interface LossHistoryOptions {
  /** How many losses are kept per timestep; 10 if not given. */
  readonly historyPerTerm?: number
  /** Share of the uniform distribution in the weights, in [0, 1]; 0.001 if not given. */
  readonly uniformProb?: number
}

/**
 * An empty loss history over `numTimesteps` timesteps.
 *
 * @throws RangeError when a number is out of range
 *
 * Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", section 3.3; defaults from their code.
 */
export function emptyLossHistory(numTimesteps: number, options: LossHistoryOptions = {}): LossHistory {
  const { historyPerTerm = 10, uniformProb = 0.001 } = options
  checkNumTimesteps('emptyLossHistory', numTimesteps)
  if (!Number.isInteger(historyPerTerm) || historyPerTerm < 1) {
    throw new RangeError(`emptyLossHistory: historyPerTerm must be a positive integer (got ${historyPerTerm})`)
  }
  if (!(uniformProb >= 0 && uniformProb <= 1)) {
    throw new RangeError(`emptyLossHistory: uniformProb must lie in [0, 1] (got ${uniformProb})`)
  }
  return { historyPerTerm, uniformProb, losses: Array.from({ length: numTimesteps }, () => []) }
}

/**
 * The history after some more losses, in the order given; each timestep forgets its oldest ones.
 *
 * The order matters when a timestep occurs twice: several workers must gather all pairs and add them in one order.
 *
 * @param history    left as it is
 * @param timesteps  `[B]`, integers in 0 .. T - 1
 * @param losses     `[B]`, finite
 * @throws RangeError when lengths differ, or an entry is out of range
 */
export function updateLossHistory(
  history: LossHistory,
  timesteps: ArrayLike<number>,
  losses: ArrayLike<number>,
): LossHistory {
  if (timesteps.length !== losses.length) {
    throw new RangeError(
      `updateLossHistory: timesteps and losses must have one length (got ${timesteps.length} and ${losses.length})`,
    )
  }
  const next = [...history.losses]
  for (let b = 0; b < timesteps.length; b++) {
    const timestep = timesteps[b]
    if (!Number.isInteger(timestep) || timestep < 0 || timestep >= next.length) {
      throw new RangeError(`updateLossHistory: timesteps must be integers in 0 .. ${next.length - 1} (got ${timestep})`)
    }
    if (!Number.isFinite(losses[b])) {
      throw new RangeError(`updateLossHistory: losses must be finite (losses[${b}] is ${losses[b]})`)
    }
    next[timestep] = [...next[timestep], losses[b]].slice(-history.historyPerTerm)
  }
  return { ...history, losses: next }
}

/**
 * Sampling weights that a loss history asks for: more weight where the loss is large.
 *
 *   rms[t]     = sqrt(mean of the squared losses of t)
 *   weight[t]  = (1 - uniformProb) rms[t] / sum(rms) + uniformProb / T
 *
 * Until every timestep has a full history, and where all losses kept are 0, all weights are 1.
 *
 * @returns `[T]`, float64; give it to `sampleTimesteps` or `drawTimesteps`
 *
 * Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", eq. 18.
 */
export function lossHistoryWeights(history: LossHistory): Float64Array {
  const { losses, historyPerTerm, uniformProb } = history
  const numTimesteps = losses.length
  const ones = new Float64Array(numTimesteps).fill(1)
  if (losses.some((list) => list.length < historyPerTerm)) return ones
  const rms = Float64Array.from(losses, (list) => {
    return Math.sqrt(list.reduce((sum, loss) => sum + loss * loss, 0) / historyPerTerm)
  })
  const total = rms.reduce((sum, value) => sum + value, 0)
  if (total === 0) return ones
  return rms.map((value) => (value / total) * (1 - uniformProb) + uniformProb / numTimesteps)
}
