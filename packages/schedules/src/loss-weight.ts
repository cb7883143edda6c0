import { snr as snrOf } from './snr.js'
import type { DiffusionTables } from './diffusion-tables.js'

/**
 * By what the squared error of a sample is multiplied, as a function of its signal-to-noise ratio. Written here for the
 * error of x0; `none` is 1 for every prediction.
 *
 *   snr              snr
 *   truncatedSnr     max(snr, 1)
 *   inverseSnr       1 / snr
 *   { minSnr: g }    min(snr, g)
 *   { maxSnr: g }    max(snr, g)
 *   { p2 }           snr / (k + snr)^gamma, k and gamma 1 by default
 */
export type LossWeight =
  | 'none'
  | 'snr'
  | 'truncatedSnr'
  | 'inverseSnr'
  | { readonly minSnr: number }
  | { readonly maxSnr: number }
  | { readonly p2: { readonly k?: number; readonly gamma?: number } }

/** What the squared error is taken of. */
export type WeightedPrediction = 'epsilon' | 'x0' | 'v'

/**
 * The weight of a squared error at a signal-to-noise ratio.
 *
 * At fixed xt the squared error of the noise is snr times that of x0, and the error of v is snr + 1 times it. A weight w of
 * the error of x0 therefore becomes
 *
 *   w            for x0
 *   w / snr      for epsilon: min(snr, g) / snr, or 1 / (k + snr)^gamma for P2
 *   w / (snr + 1)    for v: min(snr, g) / (snr + 1)
 *
 * Where snr is 0 the weight is 1, as in the code of min-SNR; that of P2 is by its formula.
 *
 * @param snr alpha^2 / sigma^2, 0 or more
 * @throws RangeError for an unknown weight, a number of it that is out of range, or an unknown prediction
 *
 * @example
 * lossWeightAt(20, { minSnr: 5 }, 'epsilon') // 0.25
 *
 * Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy", section 3.4 (whose code has the others);
 * Choi et al. 2022, "Perception Prioritized Training of Diffusion Models", eq. 8 (P2).
 */
export function lossWeightAt(snr: number, weight: LossWeight, prediction: WeightedPrediction): number {
  checkLossWeight('lossWeightAt', weight)
  if (!['epsilon', 'x0', 'v'].includes(prediction)) {
    throw new RangeError(`lossWeightAt: prediction must be epsilon, x0 or v (got ${prediction})`)
  }
  if (weight === 'none') return 1
  if (typeof weight === 'object' && 'p2' in weight) {
    const { k = 1, gamma = 1 } = weight.p2
    const ofNoise = 1 / (k + snr) ** gamma
    if (prediction === 'epsilon') return ofNoise
    return prediction === 'x0' ? snr * ofNoise : (snr / (snr + 1)) * ofNoise
  }
  if (snr === 0) return 1
  const ofX0 = weightOfX0(snr, weight)
  if (prediction === 'x0') return ofX0
  return ofX0 / (prediction === 'epsilon' ? snr : snr + 1)
}

/**
 * `lossWeightAt` of every timestep of a process.
 *
 * @returns `[T]`, float64
 */
export function lossWeights(
  tables: Pick<DiffusionTables, 'alphaBar'>,
  weight: LossWeight,
  prediction: WeightedPrediction,
): Float64Array {
  return snrOf(tables).map((ratio) => lossWeightAt(ratio, weight, prediction))
}

/** @throws RangeError or TypeError unless it is a loss weight whose numbers are in range */
export function checkLossWeight(caller: string, weight: LossWeight): void {
  if (typeof weight === 'string' && ['none', 'snr', 'truncatedSnr', 'inverseSnr'].includes(weight)) return
  const names = typeof weight === 'object' && weight !== null ? Object.keys(weight) : []
  if (names.length !== 1 || !['minSnr', 'maxSnr', 'p2'].includes(names[0])) {
    throw new RangeError(
      `${caller}: the loss weight must be none, snr, truncatedSnr, inverseSnr, { minSnr }, { maxSnr } or { p2 } (got ${JSON.stringify(weight)})`,
    )
  }
  const [[name, value]] = Object.entries(weight) as [[string, unknown]]
  if (name !== 'p2') {
    if (isNumber(value) && value > 0) return
    throw new RangeError(`${caller}: ${name} must be a positive number (got ${String(value)})`)
  }
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${caller}: p2 must be an object with k and gamma (got ${JSON.stringify(value)})`)
  }
  const { k = 1, gamma = 1, ...unknown } = value as { k?: unknown; gamma?: unknown }
  if (!(isNumber(k) && k > 0)) throw new RangeError(`${caller}: k of p2 must be a positive number (got ${String(k)})`)
  if (!(isNumber(gamma) && gamma >= 0)) {
    throw new RangeError(`${caller}: gamma of p2 must be a number, 0 or more (got ${String(gamma)})`)
  }
  const [other] = Object.keys(unknown)
  if (other !== undefined) throw new RangeError(`${caller}: p2 has no setting ${other}, only k and gamma`)
}

function weightOfX0(snr: number, weight: Exclude<LossWeight, 'none' | { p2: unknown }>): number {
  if (typeof weight === 'object')
    return 'minSnr' in weight ? Math.min(snr, weight.minSnr) : Math.max(snr, weight.maxSnr)
  if (weight === 'snr') return snr
  return weight === 'truncatedSnr' ? Math.max(snr, 1) : 1 / snr
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
