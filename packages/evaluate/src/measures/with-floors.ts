import { type Features, takeRows } from '@dit/metrics'
import { permutation, randomStream } from '@dit/random'
import type { MeasureInterval, MeasureResult } from '../evaluation.js'
import { isStatistics, type Measured, type MeasureOptions, type SideFeatures, type Sides } from './measured.js'
import { measureSides } from './measure-sides.js'
import { BETTER, LEAST, type MeasureName, type TitleContext, titleOf } from './names.js'

/** Real pictures against real ones, and as many samples against these. */
interface FloorSides {
  /** Real pictures, and others that stand for samples. */
  readonly floor: Sides
  /** The same real pictures, and as many samples. */
  readonly matched: Sides
  /** Whether `matched` is what was measured anyway. */
  readonly isWhole: boolean
}

/**
 * Measures with their floors. Where there are `others`, real pictures that are none of the real side, they stand for the samples; else
 * the real side is halved.
 */
export function measureWithFloors(
  sides: Sides,
  others: SideFeatures | null,
  names: readonly MeasureName[],
  options: MeasureOptions & { readonly title: TitleContext },
): MeasureResult[] {
  const taken = measureSides(sides, names, options)
  const floors = floorSides(sides, others, options)
  const possible = [...taken.keys()].filter((name) => floors !== null && canBeFloor(name, floors, options.k))
  const floor = floors === null ? null : measureSides(floors.floor, possible, options)
  const matched =
    floors === null || floors.isWhole ? taken : measureSides(floors.matched, possible, { ...options, resampling: null })
  return [...taken].map(([name, measured]) =>
    resultOf(name, measured, floor?.get(name) ?? null, matched.get(name) ?? measured, options.title),
  )
}

/** A measure as results have it. */
export function resultOf(
  name: MeasureName,
  { value, interval, counts, warnings }: Measured,
  floor: Measured | null,
  matched: Pick<Measured, 'value'>,
  title: TitleContext,
): MeasureResult {
  const floorResult =
    floor === null
      ? null
      : { value: floor.value, interval: notBelow(name, floor.interval), counts: floor.counts, matched: matched.value }
  return {
    measure: name,
    title: titleOf(name, title),
    value,
    interval: notBelow(name, interval),
    counts,
    floor: floorResult,
    better: BETTER[name],
    warnings,
  }
}

/** Resamples that are shifted to have the value as their mean may fall below what a measure can be. */
function notBelow(name: MeasureName, interval: MeasureInterval | null): MeasureInterval | null {
  const least = LEAST[name]
  if (interval === null || least === undefined) return interval
  return { ...interval, low: Math.max(least, interval.low) }
}

function floorSides(
  { real, generated }: Sides,
  others: SideFeatures | null,
  { seed }: MeasureOptions,
): FloorSides | null {
  if (isStatistics(real)) return null
  if (others !== null) {
    const count = others.features.shape[0]
    const isWhole = count === generated.features.shape[0]
    const fewer = isWhole ? generated : rowsOf(generated, someRows(generated, count, seed))
    return { floor: { real, generated: others }, matched: { real, generated: fewer }, isWhole }
  }
  const all = real.features.shape[0]
  const half = Math.floor(all / 2)
  if (half < 2) return null
  const order = permutation(randomStream(seed, 'real-halves'), all)
  const count = Math.min(half, generated.features.shape[0])
  const one = rowsOf(real, order.subarray(0, half).toSorted())
  const two = rowsOf(real, order.subarray(half, half + count).toSorted())
  return {
    floor: { real: one, generated: two },
    matched: { real: one, generated: rowsOf(generated, someRows(generated, count, seed)) },
    isWhole: false,
  }
}

/** Whether there are enough pictures for the floor of a measure. */
function canBeFloor(name: MeasureName, { floor: { real, generated } }: FloorSides, k: number): boolean {
  const fewest = Math.min((real as SideFeatures).features.shape[0], generated.features.shape[0])
  const isNeighbours = name === 'precision' || name === 'recall' || name === 'density' || name === 'coverage'
  if (name === 'frechetInfinity') return fewest >= 20
  return isNeighbours ? fewest > k : fewest >= 2
}

/** So many rows of a side, drawn by the seed: folders and files list one class after the other, so the first rows lack some. */
function someRows({ features }: SideFeatures, count: number, seed: number): Uint32Array {
  const order = permutation(randomStream(seed, 'matched-rows'), features.shape[0])
  return Uint32Array.from(order.subarray(0, count)).toSorted()
}

/** Some rows of a side. */
export function rowsOf({ features, spatial, logits }: SideFeatures, rows: ArrayLike<number>): SideFeatures {
  const some = (set: Features | null) => (set === null ? null : takeRows(set, rows))
  return { features: takeRows(features, rows), spatial: some(spatial), logits: some(logits) }
}
