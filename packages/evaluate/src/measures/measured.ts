import type { Features, Products, Statistics } from '@dit/metrics'
import type { MeasureInterval } from '../evaluation.js'

/** What was taken of the pictures of one side. */
export interface SideFeatures {
  readonly features: Features
  /** Of a spatial layer; null where the extractor has none, or it was not asked for. */
  readonly spatial: Features | null
  /** Null where the extractor is no classifier. */
  readonly logits: Features | null
}

/** Real pictures of which only means and covariances are known. */
export interface SideStatistics {
  readonly pooled: Statistics
  readonly spatial: Statistics | null
}

/** Both sides of a measure. */
export interface Sides {
  readonly real: SideFeatures | SideStatistics
  readonly generated: SideFeatures
}

/** How a measure is taken. */
export interface MeasureOptions {
  readonly products: Products
  /** Which nearest other sample a neighbourhood reaches to. */
  readonly k: number
  /** Null where no interval is wanted. */
  readonly resampling: Resampling | null
  readonly seed: number
}

/** How intervals are made. */
export interface Resampling {
  readonly numResamples: number
  readonly level: number
}

/** A measure of two sides. */
export interface Measured {
  readonly value: number
  readonly interval: MeasureInterval | null
  readonly counts: { readonly real: number | null; readonly generated: number }
  readonly warnings: readonly string[]
}

/** Whether only statistics of a side are known. */
export function isStatistics(side: SideFeatures | SideStatistics): side is SideStatistics {
  return 'pooled' in side
}
