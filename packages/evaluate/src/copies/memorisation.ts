import { bootstrapInterval } from '@dit/metrics'
import type { Memorisation } from '../evaluation.js'
import { centredInterval } from '../measures/resample.js'

/** Share of held-out pictures that are nearer to a training picture than the threshold. */
export const HELD_OUT_SHARE = 0.01

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
 * Share of samples that are nearer to a training picture than 99 % of held-out pictures are. A sound model has about 1 %: its samples are as
 * far from the training pictures as other real pictures.
 *
 * The interval resamples samples and held-out pictures, as the threshold is known no better than these tell.
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
    for (const row of rows) if (samples[row] < threshold) below++
    return below / rows.length
  }
  const { value, estimates } = bootstrapInterval(shareOf, {
    counts: [samples.length, heldOut.length],
    numResamples: resampling.numResamples,
    level: resampling.level,
    seed,
  })
  const { low, high, standardError } = centredInterval(value, estimates, resampling.level)
  return {
    share: value,
    interval: { low: Math.max(0, low), high: Math.min(1, high), standardError },
    threshold: lowQuantile(heldOut),
    space,
    isMirrored,
    numTraining,
    numHeldOut: heldOut.length,
    numSamples: samples.length,
  }
}

/** The distance that 1 % of held-out pictures are below, interpolated. */
function lowQuantile(distances: Float64Array): number {
  const sorted = distances.toSorted()
  const place = HELD_OUT_SHARE * (sorted.length - 1)
  const before = Math.floor(place)
  const after = Math.min(before + 1, sorted.length - 1)
  return sorted[before] + (place - before) * (sorted[after] - sorted[before])
}
