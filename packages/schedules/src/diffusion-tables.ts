import { checkBetas } from './check.js'

/** Everything that Gaussian diffusion needs to know about a schedule: `[T]` float64 tables, entry i for timestep i. */
export interface DiffusionTables {
  /** T. */
  readonly numTimesteps: number
  /** beta, the noise variance that step i adds. */
  readonly betas: Float64Array
  /** Product of 1 - beta up to and with i: the share of the signal's variance left in xt. */
  readonly alphaBar: Float64Array
  /** alphaBar[i - 1], and 1 at i = 0. */
  readonly alphaBarPrev: Float64Array
  /** alphaBar[i + 1], and 0 at i = T - 1. */
  readonly alphaBarNext: Float64Array
  /** sqrt(alphaBar): factor of x0 in xt. */
  readonly sqrtAlphaBar: Float64Array
  /** sqrt(1 - alphaBar): factor of the noise in xt. */
  readonly sqrtOneMinusAlphaBar: Float64Array
  /** log(1 - alphaBar): log variance of q(xt | x0). */
  readonly logOneMinusAlphaBar: Float64Array
  /** sqrt(1 / alphaBar): factor of xt in x0. */
  readonly sqrtRecipAlphaBar: Float64Array
  /** sqrt(1 / alphaBar - 1): factor of the noise in x0, with a minus sign. */
  readonly sqrtRecipM1AlphaBar: Float64Array
  /** beta (1 - alphaBarPrev) / (1 - alphaBar): variance of q(x[t-1] | xt, x0); 0 at i = 0. */
  readonly posteriorVariance: Float64Array
  /** log of `posteriorVariance`, where entry 1 stands in for the zero at entry 0. */
  readonly posteriorLogVarianceClipped: Float64Array
  /** beta sqrt(alphaBarPrev) / (1 - alphaBar): factor of x0 in the posterior mean. */
  readonly posteriorMeanCoef1: Float64Array
  /** (1 - alphaBarPrev) sqrt(1 - beta) / (1 - alphaBar): factor of xt in the posterior mean. */
  readonly posteriorMeanCoef2: Float64Array
  /** log(beta): the upper end of a learned variance range. */
  readonly logBetas: Float64Array
  /** beta, but `posteriorVariance[1]` at i = 0: the variance of the type "fixed large". */
  readonly fixedLargeVariance: Float64Array
  /** log of `fixedLargeVariance`. */
  readonly fixedLargeLogVariance: Float64Array
}

/**
 * All tables of a schedule, from its noise variances.
 *
 * Each formula stands at its field in `DiffusionTables`. The tables are float64 because 1 - alphaBar loses most digits
 * in float32 for small timesteps: take one entry per sample, and only then round it.
 *
 * A beta of 1 at the end (the `jsd` schedule) makes alphaBar 0 and the two reciprocal tables Infinity there. With a
 * single step there is no entry 1 to stand in at entry 0, and beta is used; the reference implementation fails there.
 *
 * @param betas  `[T]`, in (0, 1], at least one; copied
 * @throws RangeError when a beta is out of range
 *
 * Ho et al. 2020, "Denoising Diffusion Probabilistic Models", eq. 4 (alphaBar), 6 and 7 (posterior); the clipped log
 * and "fixed large" follow the code of that paper.
 */
export function diffusionTables(betas: ArrayLike<number>): DiffusionTables {
  checkBetas('diffusionTables', betas)
  const own = Float64Array.from(betas)
  const alphaBar = cumulativeProduct(own.map((beta) => 1 - beta))
  const alphaBarPrev = alphaBar.map((_, i) => (i > 0 ? alphaBar[i - 1] : 1))
  const alphaBarNext = alphaBar.map((_, i) => (i < own.length - 1 ? alphaBar[i + 1] : 0))
  const posteriorVariance = own.map((beta, i) => (beta * (1 - alphaBarPrev[i])) / (1 - alphaBar[i]))
  const first = own.length > 1 ? posteriorVariance[1] : own[0]
  const fixedLargeVariance = own.with(0, first)
  return {
    numTimesteps: own.length,
    betas: own,
    alphaBar,
    alphaBarPrev,
    alphaBarNext,
    sqrtAlphaBar: alphaBar.map(Math.sqrt),
    sqrtOneMinusAlphaBar: alphaBar.map((a) => Math.sqrt(1 - a)),
    logOneMinusAlphaBar: alphaBar.map((a) => Math.log(1 - a)),
    sqrtRecipAlphaBar: alphaBar.map((a) => Math.sqrt(1 / a)),
    sqrtRecipM1AlphaBar: alphaBar.map((a) => Math.sqrt(1 / a - 1)),
    posteriorVariance,
    posteriorLogVarianceClipped: posteriorVariance.with(0, first).map(Math.log),
    posteriorMeanCoef1: own.map((beta, i) => (beta * Math.sqrt(alphaBarPrev[i])) / (1 - alphaBar[i])),
    posteriorMeanCoef2: own.map((beta, i) => ((1 - alphaBarPrev[i]) * Math.sqrt(1 - beta)) / (1 - alphaBar[i])),
    logBetas: own.map(Math.log),
    fixedLargeVariance,
    fixedLargeLogVariance: fixedLargeVariance.map(Math.log),
  }
}

/** Running product from left to right: alphaBar from alpha. */
export function cumulativeProduct(values: Float64Array): Float64Array {
  let product = 1
  return values.map((value) => (product *= value))
}
