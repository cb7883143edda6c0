import type { Interpolant } from './interpolant.js'

/** What a network predicts, as far as it matters here: velocities are finite at both ends, other predictions are not. */
export type FlowPrediction = 'velocity' | 'x0' | 'epsilon' | 'score'

export interface FlowIntervalOptions {
  /** Default `linear`. */
  readonly interpolant?: Interpolant
  /** Default `velocity`. */
  readonly prediction?: FlowPrediction
  /** What the interval is for: drawing times to train at, solving the ODE, or solving an SDE. */
  readonly use: 'training' | 'ode' | 'sde'
  /** Distance kept from an end where the formulas are infinite. By default 0.001, but 0.00001 for training on `vp`. */
  readonly epsilon?: number
  /** For an SDE: the size of its last, noiseless step. 0 (default) is no such step. */
  readonly lastStepSize?: number
  /** For an SDE: whether it starts a little below t = 1, where the form `sbdm` is infinite. Default false. */
  readonly isOwnReversal?: boolean
}

/** Times that a network is trained at or a solver runs through; `min` lies near the data. */
export interface FlowInterval {
  readonly min: number
  readonly max: number
}

/**
 * The times at which a flow's formulas are finite.
 *
 * Velocity on `linear` and `gvp` is finite everywhere: 0 to 1. Every other prediction there keeps `epsilon` away from both ends.
 * `vp` has an infinite dSigma at the data and keeps away from t = 0 only. An SDE stops at the size of its last step, from where
 * that step leads to t = 0.
 *
 * @throws RangeError for values out of range
 *
 * @example
 * flowInterval({ prediction: 'score', use: 'ode' }) // { min: 0.001, max: 0.999 }
 *
 * Ma et al. 2024, "SiT", appendix B: the numbers are those of their code.
 */
export function flowInterval({
  interpolant = 'linear',
  prediction = 'velocity',
  use,
  epsilon,
  lastStepSize = 0,
  isOwnReversal = false,
}: FlowIntervalOptions): FlowInterval {
  const isVp = interpolant === 'vp'
  const isVelocity = prediction === 'velocity'
  if (!(lastStepSize >= 0 && lastStepSize < 1)) {
    throw new RangeError(`flowInterval: lastStepSize must be in [0, 1) (got ${lastStepSize})`)
  }
  const distance = epsilon ?? (isVp && use === 'training' ? 1e-5 : 1e-3)
  if (!(distance >= 0 && distance < 0.5)) {
    throw new RangeError(`flowInterval: epsilon must be in [0, 0.5) (got ${distance})`)
  }
  const min = use === 'sde' && lastStepSize > 0 ? lastStepSize : distance
  if (isVp) return { min, max: 1 }
  if (isVelocity && use !== 'sde') return { min: 0, max: 1 }
  const isInfiniteAtNoise = !isVelocity || isOwnReversal
  return { min, max: isInfiniteAtNoise ? 1 - distance : 1 }
}
