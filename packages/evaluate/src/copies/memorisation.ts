import { bootstrapInterval } from '@dit/metrics'
import type { Memorisation } from '../evaluation.js'
import { centredInterval } from '../measures/resample.js'
import { shareInterval } from '../measures/share-interval.js'
import { HELD_OUT_SHARE } from './chance-copies.js'

/** What memorisation is judged from. */
export interface MemorisationInput {
  /** Distance of each sample to its nearest training picture. */
  readonly samples: Float64Array
  /** The same of real pictures that were not trained on. */
  readonly heldOut: Float64Array
  readonly numTraining: number
  readonly space: Memorisation['space']
  readonly isMirrored: boolean
  readonly resampling: { readonly numResamples: number; readonly level: number }
  readonly seed: number
}

/**
 * Share of samples that are nearer to a training picture than 99 % of held-out pictures are. A sound model has about 1 % where many are held
 * out: its samples are as far from the training pictures as other real pictures.
 *
 * The interval resamples samples and held-out pictures, as the threshold is known no better than these tell. It is never narrower than
 * Wilson's for a share of so many samples: none of 20 is not none of a thousand.
 *
 * @throws RangeError without samples or held-out pictures
 */
export function memorisation(input: MemorisationInput): Memorisation {
  const { samples, heldOut, numTraining, space, isMirrored, resampling, seed } = input
  if (samples.length === 0 || heldOut.length === 0) {
    throw new RangeError(
      `memorisation: there must be samples and held-out pictures (got ${samples.length} and ${heldOut.length})`,
    )
  }
  const shareOf = (rows: Int32Array, held: Int32Array) => {
    const threshold = lowQuantile(Float64Array.from(held, (row) => heldOut[row]))
    let below = 0
    for (const row of rows) if (isNear(samples[row], threshold)) below++
    return below / rows.length
  }
  const { value, estimates } = bootstrapInterval(shareOf, {
    counts: [samples.length, heldOut.length],
    numResamples: resampling.numResamples,
    level: resampling.level,
    seed,
  })
  const interval = shareInterval(
    value,
    samples.length,
    resampling.level,
    centredInterval(value, estimates, resampling.level),
  )
  return {
    share: value,
    interval,
    threshold: lowQuantile(heldOut),
    space,
    isMirrored,
    numTraining,
    numHeldOut: heldOut.length,
    numSamples: samples.length,
  }
}

/** Whether a sample is a near copy. One at no distance is a copy, also where held-out pictures are copies themselves. */
export function isNear(distance: number, threshold: number): boolean {
  return distance < threshold || distance === 0
}

/** The distance that 1 % of held-out pictures are below, interpolated. */
function lowQuantile(distances: Float64Array): number {
  const sorted = distances.toSorted()
  const place = HELD_OUT_SHARE * (sorted.length - 1)
  const before = Math.floor(place)
  const after = Math.min(before + 1, sorted.length - 1)
  return sorted[before] + (place - before) * (sorted[after] - sorted[before])
}
