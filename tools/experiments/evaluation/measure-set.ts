import {
  authenticity,
  bootstrapInterval,
  cmmd,
  type Features,
  frechetDistance,
  frechetInfinity,
  inceptionScore,
  precisionRecall,
  type Products,
  squaredMmd,
  takeRows,
  vendiScore,
} from '@dit/metrics'
import { integers, randomStream } from '@dit/random'

/** A value with its 95 % interval. */
export type WithInterval = readonly [value: number, low: number, high: number]

/** Every measure of a set, by name. */
export type SetMeasures = Readonly<Record<string, WithInterval>>

/** Features that a set is measured with. */
export interface GivenFeatures {
  readonly reference: Features
  readonly training: Features
  readonly judged: Features
  /** Of the judged set; null where the extractor is no classifier. */
  readonly logits: Features | null
}

const RESAMPLES = 100
const FEW_RESAMPLES = 20

/** All measures of the judged set. Rows of both sets are resampled; where a duplicate would change the measure, only what was found of each row is. */
export function measureAll({ reference, training, judged, logits }: GivenFeatures, products: Products): SetMeasures {
  const [numReal, numJudged] = [reference.shape[0], judged.shape[0]]
  const both = [numReal, numJudged]
  const interval = (
    measure: (...rows: Int32Array[]) => number,
    counts: number[],
    kind?: 'basic',
    numResamples = RESAMPLES,
  ) => {
    const { value, low, high } = bootstrapInterval(measure, {
      counts,
      numResamples,
      ...(kind === undefined ? {} : { kind }),
    })
    return [value, low, high] as const
  }
  const share = (found: ArrayLike<number>, divisor = 1) =>
    interval((rows) => mean(rows, found) / divisor, [found.length])
  const k = 5
  const near = precisionRecall(reference, judged, { k, products })
  const sigma = medianDistance(reference)
  const distance = (one: Int32Array, two: Int32Array) =>
    frechetDistance(takeRows(reference, one), takeRows(judged, two), { products }).distance
  const infinity = (one: Int32Array, two: Int32Array) =>
    frechetInfinity(takeRows(reference, one), takeRows(judged, two), { products, numSizes: 8 }).distance
  return {
    frechet: interval(distance, both, 'basic'),
    frechetInfinity: interval(infinity, both, 'basic', FEW_RESAMPLES),
    kid: halves(reference, judged, (one, two) => squaredMmd(one, two, { products })),
    cmmd: halves(reference, judged, (one, two) => cmmd(one, two, { sigma, products }).unbiased),
    precision: share(near.generatedInReal),
    recall: share(near.realInGenerated),
    density: share(near.neighbourhoods, k),
    coverage: share(near.covered),
    authenticity: share(authenticity(training, judged, { products }).authentic),
    vendi: interval(
      (rows) => vendiScore(takeRows(judged, rows), { products }).score,
      [numJudged],
      'basic',
      FEW_RESAMPLES,
    ),
    ...(logits === null
      ? {}
      : {
          inceptionScore: interval(
            (rows) => inceptionScore(takeRows(logits, rows), { splits: 1 }).mean,
            [numJudged],
            'basic',
            FEW_RESAMPLES,
          ),
        }),
  }
}

/**
 * The value of whole sets, with an interval from random halves: a resample with duplicates would hold pairs at distance 0, which an unbiased estimate
 * must not. Random halves vary about the whole as much as the whole does about the truth; for sets that are alike, up to twice as much.
 */
function halves(first: Features, second: Features, measure: (one: Features, two: Features) => number): WithInterval {
  const value = measure(first, second)
  const estimates = Array.from({ length: FEW_RESAMPLES }, (_, i) =>
    measure(half(first, 'first', i), half(second, 'second', i)),
  )
  const middle = estimates.reduce((a, b) => a + b, 0) / estimates.length
  const variance = estimates.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (estimates.length - 1)
  const reach = 1.96 * Math.sqrt(variance)
  return [value, value - reach, value + reach]
}

function half(features: Features, set: string, i: number): Features {
  const [count] = features.shape
  const drawn = integers(randomStream(i, 'half', set), 2 ** 30, count)
  const order = Array.from(drawn.keys()).toSorted((a, b) => drawn[a] - drawn[b])
  return takeRows(features, order.slice(0, count >> 1))
}

/** Of pairs of neighbouring rows: a usual width of a Gaussian kernel. */
function medianDistance({ shape: [count, width], data }: Features): number {
  const distances = Array.from({ length: count - 1 }, (_, i) => {
    let square = 0
    for (let j = 0; j < width; j++) square += (data[i * width + j] - data[(i + 1) * width + j]) ** 2
    return Math.sqrt(square)
  })
  return distances.toSorted((a, b) => a - b)[count >> 1]
}

function mean(rows: Int32Array, found: ArrayLike<number>): number {
  let sum = 0
  for (const row of rows) sum += found[row]
  return sum / rows.length
}
