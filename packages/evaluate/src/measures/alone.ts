import { type Features, inceptionScore, takeRows, vendiScore } from '@dit/metrics'
import type { Measured, MeasureOptions } from './measured.js'
import { resample } from './resample.js'

/** Rows from which on the Inception Score is the mean over ten splits, as papers have it. */
const SPLIT_FROM = 10_000

/** Vendi score of a set. */
export function measureVendi(features: Features, { products, resampling, seed }: MeasureOptions): Measured {
  const [count, width] = features.shape
  const { score, warnings } = vendiScore(features, { products })
  const measure = (rows: Int32Array) => vendiScore(takeRows(features, rows), { products }).score
  const rank = Math.min(count, width)
  const cost = { products: count * width * rank, eigenvalues: 2 * rank ** 3 }
  const resampled = resample(measure, { counts: [count], resampling, seed, products, cost })
  return {
    value: score,
    interval: resampled.interval,
    counts: { real: null, generated: count },
    warnings: [...warnings, ...resampled.warnings],
  }
}

/** Inception Score of a set, from logits: of ten splits where there are many rows, else of one. */
export function measureInceptionScore(logits: Features, { products, resampling, seed }: MeasureOptions): Measured {
  const [count, classes] = logits.shape
  const splits = count >= SPLIT_FROM ? 10 : 1
  const { mean, warnings } = inceptionScore(logits, { splits })
  const measure = (rows: Int32Array) => inceptionScore(takeRows(logits, rows), { splits }).mean
  // An exponential and a logarithm are some forty multiply-adds.
  const cost = { products: 0, eigenvalues: 40 * count * classes }
  const resampled = resample(measure, { counts: [count], resampling, seed, products, cost })
  return {
    value: mean,
    interval: resampled.interval,
    counts: { real: null, generated: count },
    warnings: [...warnings, ...resampled.warnings],
  }
}
