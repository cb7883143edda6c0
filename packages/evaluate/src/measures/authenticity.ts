import { authenticity, type Features, type Products } from '@dit/metrics'
import type { Measured, MeasureOptions } from './measured.js'
import { meanOf } from './neighbours.js'
import { resample } from './resample.js'
import { shareInterval } from './share-interval.js'

/** Authenticity of some pictures, and what was found of each, to measure fewer of them. */
export interface MeasuredAuthenticity extends Measured {
  readonly authentic: Uint8Array
}

/** Authenticity with its interval, which resamples what was found of each picture. */
export function measureAuthenticity(
  training: Features,
  pictures: Features,
  { products, resampling, seed }: Pick<MeasureOptions, 'resampling' | 'seed'> & { readonly products: Products },
): MeasuredAuthenticity {
  const { share, authentic, warnings } = authenticity(training, pictures, { products })
  const count = pictures.shape[0]
  const resampled = resample((rows) => meanOf(authentic, rows), { counts: [count], resampling, seed, products })
  const interval =
    resampled.interval === null ? null : shareInterval(share, count, resampling!.level, resampled.interval)
  return { value: share, interval, counts: { real: training.shape[0], generated: count }, warnings, authentic }
}
