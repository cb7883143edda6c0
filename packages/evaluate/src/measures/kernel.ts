import { type Features, takeRows } from '@dit/metrics'
import { integers, permutation, randomStream } from '@dit/random'
import {
  cubicKernel,
  gaussianKernel,
  type KernelFunction,
  type KernelSums,
  kernelSums,
  type Weights,
} from './kernel-sums.js'
import type { Measured, MeasureOptions } from './measured.js'
import { centredInterval } from './resample.js'

/** Pictures of each set at most: the kernel of more pairs takes minutes, and an unbiased estimate needs no more. */
const MOST = 10_000

/** A kernel distance, and that of each resample, in their order: those of two models belong together. */
export interface MeasuredKernel extends Measured {
  readonly estimates: Float64Array
}

/** Options of a kernel distance. */
export interface KernelOptions extends MeasureOptions {
  /** Names the resamples of the generated set. Default: 0, the same for every model. */
  readonly generatedStream?: number
}

/** KID of whole sets: the unbiased squared discrepancy with a cubic kernel. It may be negative. */
export function measureKid(real: Features, generated: Features, options: KernelOptions): MeasuredKernel {
  return discrepancy(real, generated, { ...options, kernel: cubicKernel(real.shape[1]), scale: 1, isBiased: false })
}

/** 1000 times the biased squared discrepancy of rows of unit length with a Gaussian kernel of sigma 10, as CMMD is published. */
export function measureCmmd(real: Features, generated: Features, options: KernelOptions): MeasuredKernel {
  const [one, two] = [unitRows(real, 'the real set'), unitRows(generated, 'the generated set')]
  return discrepancy(one, two, { ...options, kernel: gaussianKernel(10), scale: 1000, isBiased: true })
}

interface Discrepancy extends KernelOptions {
  readonly kernel: KernelFunction
  readonly scale: number
  /** Pairs of a picture with itself count, too. */
  readonly isBiased: boolean
}

function discrepancy(real: Features, generated: Features, options: Discrepancy): MeasuredKernel {
  const { kernel, products, resampling, seed, scale, isBiased } = options
  const [x, y] = [someRows(real, seed, 'real'), someRows(generated, seed, 'generated')]
  const [n, m] = [x.shape[0], y.shape[0]]
  // The first weights are all one: the value itself.
  const R = 1 + (resampling?.numResamples ?? 0)
  const [wx, wy] = [drawWeights(n, R, seed, 1), drawWeights(m, R, seed, options.generatedStream ?? 0)]
  const how = { kernel, numResamples: R, products }
  const xx = kernelSums(x, x, [wx, null], how)
  const yy = kernelSums(y, y, [wy, null], how)
  const xy = kernelSums(x, y, [wx, wy], how)
  const estimates = Float64Array.from({ length: R }, (_, r) => {
    const cross = (2 * xy.others[r]) / (n * m)
    return scale * (within(xx, r, n, wx, isBiased) + within(yy, r, m, wy, isBiased) - cross)
  })
  const value = estimates[0]
  const cut = Math.max(real.shape[0], generated.shape[0]) > MOST
  return {
    value,
    estimates: estimates.subarray(1),
    interval: resampling === null ? null : centredInterval(value, estimates.subarray(1), resampling.level),
    counts: { real: n, generated: m },
    warnings: cut ? [`measured on ${MOST.toLocaleString('en')} pictures of a set at most, drawn by the seed`] : [],
  }
}

/** Mean of the kernel within a set: unbiased, of pairs of two different pictures, however often a resample took them. */
function within({ others, same }: KernelSums, r: number, n: number, weights: Weights, isBiased: boolean): number {
  if (isBiased) return (others[r] + same[r]) / (n * n)
  let squares = 0
  for (let i = r * n; i < (r + 1) * n; i++) squares += weights[i] ** 2
  return others[r] / (n * n - squares)
}

/** How often resamples take each row: those of `bootstrapInterval`, so that measures of two models can be paired. */
function drawWeights(n: number, R: number, seed: number, set: number): Weights {
  const weights = new Float64Array(R * n)
  weights.fill(1, 0, n)
  for (let r = 1; r < R; r++) {
    for (const row of integers(randomStream(seed, 'bootstrap', set, r - 1), n, n)) weights[r * n + row]++
  }
  return weights
}

function someRows(features: Features, seed: number, set: string): Features {
  const [count] = features.shape
  if (count <= MOST) return features
  return takeRows(
    features,
    permutation(randomStream(seed, 'kernel-rows', set), count)
      .subarray(0, MOST)
      .toSorted(),
  )
}

function unitRows({ shape, data }: Features, what: string): Features {
  const [count, width] = shape
  const rows = Float64Array.from(data)
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * width, (i + 1) * width)
    const length = Math.hypot(...row)
    if (length === 0)
      throw new RangeError(`evaluate: cmmd needs features with a direction; row ${i} of ${what} is all zeros`)
    for (let j = 0; j < width; j++) row[j] /= length
  }
  return { shape, data: rows }
}
