import {
  type Features,
  frechetDistance,
  inceptionScore,
  plainProducts,
  type Products,
  takeRows,
  vendiScore,
} from '@dit/metrics'

import type { Comparison, MeasureDifference } from './comparison.js'
import { BETTER, type MeasureName } from './measures/names.js'
import type { Evaluation, MeasureResult } from './evaluation.js'
import { checkRows } from './check-rows.js'
import { measureCmmd, measureKid } from './measures/kernel.js'
import { isStatistics, type SideFeatures, type SideStatistics } from './measures/measured.js'
import { memberships, meanOf, shareOf } from './measures/neighbours.js'
import { centredInterval, resample } from './measures/resample.js'
import type { EvaluationWithRows } from './rows.js'

/** Options of `compareEvaluations`. */
export interface CompareOptions {
  /** Resamples behind an interval. Default: 200. */
  readonly numResamples?: number
  /** Share of the resamples that an interval spans. Default: 0.95. */
  readonly level?: number
  /** Of the resamples. Default: 0. */
  readonly seed?: number
  /** As in the evaluations. Default: 5. */
  readonly k?: number
  readonly products?: Products
}

type How = Required<CompareOptions>

/**
 * How two evaluations differ, measure by measure, with intervals of the differences.
 *
 * Both are resampled together: the same real pictures, and, where both are samples of the same seed and classes, the same samples. What
 * both share, such as an easy class or an odd real picture, then falls out of the difference.
 *
 * @throws RangeError where they were measured with other extractors, layers, sizes, counts or real pictures, or where their rows do not
 *   give their values, such as with another `k`
 */
export function compareEvaluations(
  first: EvaluationWithRows,
  second: EvaluationWithRows,
  { numResamples = 200, level = 0.95, seed = 0, k = 5, products = plainProducts }: CompareOptions = {},
): Comparison {
  const [one, two] = [first.evaluation, second.evaluation]
  checkComparable(one, two)
  const how = { numResamples, level, seed, k, products }
  for (const side of new Set([first, second])) checkRows(side, how)
  const isPaired = arePaired(first, second)
  const measures: MeasureDifference[] = []
  const warnings: string[] = []
  if (!isPaired)
    warnings.push('samples were drawn apart, not for the same seed and classes: intervals are wider than of pairs')
  for (const measure of one.measures) {
    const other = two.measures.find((result) => result.measure === measure.measure)
    if (other === undefined) warnings.push(`${measure.measure} was measured of ${one.generated.name} only`)
    else measures.push(differenceOf(measure, other, [first, second], isPaired, how))
  }
  return {
    format: 'dit-comparison',
    version: 1,
    first: one.generated,
    second: two.generated,
    real: one.real,
    extractor: one.extractor,
    isPaired,
    intervals: { level, numResamples },
    measures,
    warnings,
  }
}

/** @throws RangeError that names what two evaluations do not share */
function checkComparable(one: Evaluation, two: Evaluation): void {
  const refuse = (what: string, a: string, b: string) => {
    throw new RangeError(
      `compareEvaluations: both must have ${what}; ${one.generated.name} has ${a}, and ${two.generated.name} ${b}`,
    )
  }
  const [a, b] = [one.extractor, two.extractor]
  if (a.name !== b.name) refuse('the same extractor', a.name, b.name)
  if (a.fingerprint !== b.fingerprint) refuse('an extractor of the same weights', a.fingerprint, b.fingerprint)
  if (a.layer !== b.layer) refuse('the same layer', a.layer, b.layer)
  const [sizeA, sizeB] = [one.generated.size, two.generated.size].map((size) => size?.join(' x ') ?? 'none')
  if (sizeA !== sizeB) refuse('pictures of the same size', sizeA, sizeB)
  if (one.generated.count !== two.generated.count)
    refuse('as many samples', String(one.generated.count), String(two.generated.count))
  if (one.real.fingerprint !== two.real.fingerprint) {
    const [c, d] = [one.real, two.real].map(({ name, count }) => `${count} pictures of ${name}`)
    refuse('the same real pictures', c, c === d ? `${d}, which are others by their bytes or classes` : d)
  }
}

function arePaired(first: EvaluationWithRows, second: EvaluationWithRows): boolean {
  const [one, two] = [first.evaluation, second.evaluation]
  const areDrawn = one.generated.kind === 'model' && two.generated.kind === 'model'
  return areDrawn && one.seed === two.seed && JSON.stringify(first.rows.classes) === JSON.stringify(second.rows.classes)
}

function differenceOf(
  one: MeasureResult,
  two: MeasureResult,
  both: readonly [EvaluationWithRows, EvaluationWithRows],
  isPaired: boolean,
  how: How,
): MeasureDifference {
  const { interval, warnings } = intervalOf(one.measure, both, isPaired, how)
  const difference = two.value - one.value
  const isSure = interval !== null && (interval.low > 0 || interval.high < 0)
  const better = BETTER[one.measure as MeasureName]
  const isSecond = better === 'less' ? difference < 0 : difference > 0
  return {
    measure: one.measure,
    title: one.title,
    first: one.value,
    second: two.value,
    difference,
    interval,
    better,
    winner: isSure ? (isSecond ? 'second' : 'first') : null,
    warnings,
  }
}

/** A measure of rows of the samples and of the real pictures. */
interface OfRows {
  readonly numGenerated: number
  /** Null where no real picture takes part. */
  readonly numReal: number | null
  measure(rows: Int32Array, realRows: Int32Array): number
}

function intervalOf(
  name: string,
  [first, second]: readonly [EvaluationWithRows, EvaluationWithRows],
  isPaired: boolean,
  how: How,
): Pick<MeasureDifference, 'interval' | 'warnings'> {
  const { seed, level, numResamples, products } = how
  const resampling = { numResamples, level }
  if (name === 'kid' || name === 'cmmd') {
    const of = ({ rows: { real, generated } }: EvaluationWithRows, generatedStream: number) =>
      (name === 'kid' ? measureKid : measureCmmd)((real as SideFeatures).features, generated.features, {
        ...how,
        resampling,
        generatedStream,
      })
    const [a, b] = [of(first, 0), of(second, isPaired ? 0 : 2)]
    const differences = a.estimates.map((estimate, r) => b.estimates[r] - estimate)
    return { interval: centredInterval(b.value - a.value, differences, level), warnings: [] }
  }
  const [a, b] = [first, second].map((one) => ofRows(name, one, how))
  if (a === null || b === null) return { interval: null, warnings: [`${name} has no interval of its difference`] }
  const counts = [a.numGenerated, a.numReal ?? 1, ...(isPaired ? [] : [b.numGenerated])]
  const measure = (rows: Int32Array, realRows: Int32Array, others = rows) =>
    b.measure(others, realRows) - a.measure(rows, realRows)
  const { features } = first.rows.generated
  const width = features.shape[1]
  const isMatrix = name === 'frechet' || name === 'spatialFrechet' || name === 'vendi'
  const cost = {
    products: isMatrix ? 2 * (a.numGenerated + (a.numReal ?? 0)) * width * width : 0,
    eigenvalues: isMatrix ? 4 * Math.min(width, a.numGenerated) ** 3 : 0,
  }
  return resample(measure, { counts, resampling, seed, products, cost })
}

function ofRows(name: string, { rows, evaluation }: EvaluationWithRows, how: How): OfRows | null {
  const { generated, real, authentic } = rows
  const { products } = how
  const numGenerated = generated.features.shape[0]
  switch (name) {
    case 'frechet':
      return frechetRows(isStatistics(real) ? real.pooled : real.features, generated.features, products)
    case 'spatialFrechet':
      return frechetRows(real.spatial!, generated.spatial!, products)
    case 'precision':
    case 'recall':
    case 'density':
    case 'coverage': {
      const { of, n } = memberships((real as SideFeatures).features, generated.features, how)
      const own = of[name]
      return { numGenerated: n, numReal: n, measure: (...both) => shareOf(own, both[own.set]) }
    }
    case 'vendi':
      return {
        numGenerated,
        numReal: null,
        measure: (some) => vendiScore(takeRows(generated.features, some), { products }).score,
      }
    case 'inceptionScore':
      return {
        numGenerated,
        numReal: null,
        measure: (some) => inceptionScore(takeRows(generated.logits!, some), { splits: 1 }).mean,
      }
    case 'authenticity':
      if (authentic === null)
        throw new RangeError(`compareEvaluations: ${evaluation.generated.name} has no authentic rows`)
      return { numGenerated, numReal: null, measure: (some) => meanOf(authentic, some) }
    default:
      return null
  }
}

function frechetRows(real: Features | SideStatistics['pooled'], generated: Features, products: Products): OfRows {
  const isFeatures = 'shape' in real
  return {
    numGenerated: generated.shape[0],
    numReal: isFeatures ? real.shape[0] : null,
    measure: (rows, realRows) =>
      frechetDistance(isFeatures ? takeRows(real, realRows) : real, takeRows(generated, rows), { products }).distance,
  }
}
