import type { NoiseLevel } from '../noise-level.js'

/**
 * How signal and noise are mixed at time t, where 0 is data and 1 is noise:
 *
 *   linear   alpha = 1 - t             sigma = t                          (rectified flow)
 *   gvp      alpha = cos(pi t / 2)     sigma = sin(pi t / 2)              (generalised variance preserving)
 *   vp       alpha = exp(-B / 2)       sigma = sqrt(1 - alpha^2)          B = betaMin t + (betaMax - betaMin) t^2 / 2
 */
export type Interpolant = 'linear' | 'gvp' | 'vp'

/** A flow, and the convention of the networks that know it. */
export interface FlowOptions {
  /** Default `linear`. */
  readonly interpolant?: Interpolant
  /** Rate of noise of `vp` at the data, 0.1 by default. */
  readonly betaMin?: number
  /** Rate of noise of `vp` at the noise, 20 by default. */
  readonly betaMax?: number
  /**
   * Which way the network's own time runs, and its velocity points:
   *
   *   towardsNoise   told t, velocity dAlpha x0 + dSigma noise             REPA; diffusers, with a timestepScale of 1000
   *   towardsData    told 1 - t, velocity of the opposite sign             SiT, LightningDiT, JiT
   *
   * Everything else, here and in the solvers, counts t from data to noise. Default `towardsNoise`.
   */
  readonly networkTime?: 'towardsNoise' | 'towardsData'
  /** By which the network's time is multiplied before it is told, 1 by default. */
  readonly timestepScale?: number
}

/** `FlowOptions` with every default in it. */
export type Flow = Required<FlowOptions>

const INTERPOLANTS: readonly Interpolant[] = ['linear', 'gvp', 'vp']

/**
 * A flow with all its settings: plain data.
 *
 * @throws RangeError for an unknown name, a rate below 0 or a scale of 0
 */
export function flow({
  interpolant = 'linear',
  betaMin = 0.1,
  betaMax = 20,
  networkTime = 'towardsNoise',
  timestepScale = 1,
}: FlowOptions = {}): Flow {
  if (!INTERPOLANTS.includes(interpolant)) {
    throw new RangeError(`flow: interpolant must be one of ${INTERPOLANTS.join(', ')} (got ${interpolant as string})`)
  }
  if (!(betaMin >= 0 && betaMax >= 0 && betaMin + betaMax > 0 && betaMin + betaMax < Infinity)) {
    throw new RangeError(`flow: betaMin and betaMax must be 0 or more, and not both 0 (got ${betaMin} and ${betaMax})`)
  }
  if (networkTime !== 'towardsNoise' && networkTime !== 'towardsData') {
    throw new RangeError(`flow: networkTime must be towardsNoise or towardsData (got ${String(networkTime)})`)
  }
  if (!(timestepScale > 0 && timestepScale < Infinity)) {
    throw new RangeError(`flow: timestepScale must be positive and finite (got ${timestepScale})`)
  }
  return { interpolant, betaMin, betaMax, networkTime, timestepScale }
}

/**
 * The noise level of a flow at time t, with derivatives by t.
 *
 * Solvers with an adaptive step look a little beyond the ends: t outside [0, 1] follows the same formulas. `vp` has no sigma
 * below 0, and an infinite dSigma at 0.
 *
 * @param t 0 is data and 1 is noise
 * @throws RangeError for a t that is not finite; whatever `flow` throws
 *
 * @example
 * flowLevel(0.25) // alpha 0.75, sigma 0.25, dAlpha -1, dSigma 1
 *
 * Ma et al. 2024, "SiT: Exploring Flow and Diffusion-based Generative Models with Scalable Interpolant Transformers",
 * section 2 and appendix B; their time is 1 - t. Song et al. 2021, "Score-Based Generative Modeling through SDEs", eq. 11 (`vp`).
 */
export function flowLevel(t: number, options: FlowOptions = {}): NoiseLevel {
  const settings = flow(options)
  if (!Number.isFinite(t)) throw new RangeError(`flowLevel: t must be finite (got ${t})`)
  const isTowardsData = settings.networkTime === 'towardsData'
  return {
    ...factorsAt(t, settings),
    t,
    timestep: settings.timestepScale * (isTowardsData ? 1 - t : t),
    velocityScale: isTowardsData ? -1 : 1,
  }
}

/** The time at which a network is told `timestep`: the inverse of what `flowLevel` tells it. */
export function timestepToT(timestep: number, options: FlowOptions = {}): number {
  const { networkTime, timestepScale } = flow(options)
  const own = timestep / timestepScale
  return networkTime === 'towardsData' ? 1 - own : own
}

type Factors = Required<Pick<NoiseLevel, 'alpha' | 'sigma' | 'dAlpha' | 'dSigma' | 'diffusivity'>>

function factorsAt(t: number, { interpolant, betaMin, betaMax }: Flow): Factors {
  if (interpolant === 'vp') return variancePreserving(t, betaMin, betaMax)
  if (interpolant === 'linear') {
    return { alpha: 1 - t, sigma: t, dAlpha: -1, dSigma: 1, diffusivity: t / (1 - t) }
  }
  // From the nearer end, so that alpha is exactly 0 at t = 1.
  const half = Math.PI / 2
  const alpha = t > 0.5 ? Math.sin(half * (1 - t)) : Math.cos(half * t)
  const sigma = t > 0.5 ? Math.cos(half * (1 - t)) : Math.sin(half * t)
  return { alpha, sigma, dAlpha: -half * sigma, dSigma: half * alpha, diffusivity: (half * sigma) / alpha }
}

/** With beta the rate of noise: dAlpha = -alpha beta / 2, sigma dSigma = alpha^2 beta / 2, diffusivity = beta / 2. */
function variancePreserving(t: number, betaMin: number, betaMax: number): Factors {
  const total = betaMin * t + ((betaMax - betaMin) * t * t) / 2
  const halfBeta = (betaMin + (betaMax - betaMin) * t) / 2
  const alpha = Math.exp(-total / 2)
  const sigma = Math.sqrt(-Math.expm1(-total))
  return { alpha, sigma, dAlpha: -alpha * halfBeta, dSigma: (alpha * alpha * halfBeta) / sigma, diffusivity: halfBeta }
}

/**
 * The time at which a flow has a signal-to-noise ratio alpha^2 / sigma^2.
 *
 * @param snr 0 (noise) to Infinity (data)
 * @throws RangeError for a ratio below 0, or one that `vp` does not reach by t = 1
 */
export function snrToT(snr: number, options: FlowOptions = {}): number {
  const { interpolant, betaMin, betaMax } = flow(options)
  if (!(snr >= 0)) throw new RangeError(`snrToT: snr must be 0 or more (got ${snr})`)
  const ratio = 1 / Math.sqrt(snr) // sigma / alpha
  if (interpolant === 'linear') return ratio === Infinity ? 1 : ratio / (1 + ratio)
  if (interpolant === 'gvp') return Math.atan(ratio) / (Math.PI / 2)
  // betaMin t + (betaMax - betaMin) t^2 / 2 = log(1 + 1 / snr), by the root that stays accurate for small differences
  const total = Math.log1p(1 / snr)
  const t = (2 * total) / (betaMin + Math.sqrt(betaMin * betaMin + 2 * (betaMax - betaMin) * total))
  if (t <= 1) return t
  const least = 1 / Math.expm1((betaMin + betaMax) / 2)
  throw new RangeError(
    `snrToT: this vp flow ends at a signal-to-noise ratio of ${least.toPrecision(3)}, at t = 1 (got ${snr})`,
  )
}
