import {
  bootstrapInterval,
  type Features,
  featureStatistics,
  frechetDistance,
  precisionRecall,
  type Products,
  squaredMmd,
  takeRows,
} from '@dit/metrics'
import { permutation, randomStream } from '@dit/random'
import { CORRUPTIONS, SELECTIONS } from './corruptions.js'

/** Features of a set: the first half is the reference, the second is spoilt, or its first pictures are. */
export interface SpoiltFeatures {
  readonly set: string
  readonly real: Features
  /** Classes of the whole second half. */
  readonly labels: Int32Array
  /** Of the second half, by `<corruption> <strength>`. */
  readonly spoilt: Readonly<Record<string, Features>>
}

/** How one candidate answers one way to spoil one set. */
export interface Answer {
  readonly set: string
  readonly corruption: string
  readonly size: number
  /** Share of neighbouring strengths, none included, that the distance puts in order. */
  readonly order: { readonly frechet: number; readonly kid: number }
  /** How many deviations of the floor the weakest strength is above the floor. */
  readonly signal: { readonly frechet: number; readonly kid: number }
  /** Of strengths that move precision, recall, density or coverage by three deviations of the floor; null if not measured. */
  readonly seenByNeighbours: number | null
}

const [FLOORS, REPEATS] = [16, 4]
const FOURFOLD = ['precision', 'recall', 'density', 'coverage'] as const

/** Answers of features to everything that was done to the pictures, with `size` pictures on either side. */
export function score(features: SpoiltFeatures, size: number, products: Products): Answer[] {
  const { real, labels, set, spoilt } = features
  const half = real.shape[0] / 2
  const numSpoilt = Object.values(spoilt)[0].shape[0]
  const measure = (reference: Features, others: Features): Measured => {
    const found = size < 1000 ? precisionRecall(reference, others, { products }) : null
    return {
      frechet: frechetDistance(featureStatistics(reference, { products }), others, { products }).distance,
      kid: squaredMmd(reference, others, { products }),
      neighbours: found === null ? null : FOURFOLD.map((name) => found[name]),
    }
  }
  const floors = Array.from({ length: FLOORS }, (_, i) => {
    const order = permutation(randomStream(i, 'floor'), 2 * half)
    return measure(takeRows(real, order.subarray(0, size)), takeRows(real, order.subarray(size, 2 * size)))
  })
  const pairs = Array.from({ length: size < half ? REPEATS : 1 }, (_, i) => ({
    seed: i,
    reference: takeRows(real, permutation(randomStream(i, 'reference'), half).subarray(0, size)),
    rows: permutation(randomStream(i, 'spoilt'), numSpoilt).subarray(0, size),
  }))
  const behind = (rows: ArrayLike<number>) => Array.from(rows, (row) => row + half)
  const unspoilt = pairs.map(({ reference, rows }) => measure(reference, takeRows(real, behind(rows))))
  const answer = (corruption: string, perStrength: readonly (readonly Measured[])[]): Answer => {
    const along = (name: 'frechet' | 'kid') =>
      pairs.map((_, i) => [unspoilt[i], ...perStrength.map((list) => list[i])].map((found) => found[name]))
    const of = (name: 'frechet' | 'kid') => ({
      order: mean(along(name).map(inOrder)),
      signal: signalOf(
        along(name).map((values) => values[1]),
        floors.map((floor) => floor[name]),
      ),
    })
    const [frechet, kid] = [of('frechet'), of('kid')]
    return {
      set,
      corruption,
      size,
      order: { frechet: frechet.order, kid: kid.order },
      signal: { frechet: frechet.signal, kid: kid.signal },
      seenByNeighbours: floors[0].neighbours === null ? null : mean(perStrength.map((list) => sees(list, floors))),
    }
  }
  const answers = CORRUPTIONS.map(({ name, strengths }) =>
    answer(
      name,
      strengths.map((strength) =>
        pairs.map(({ reference, rows }) => measure(reference, takeRows(spoilt[`${name} ${strength}`], rows))),
      ),
    ),
  )
  // A whole half less a class has fewer pictures than asked for.
  if (size === half) return answers
  const selections = SELECTIONS.map(({ name, strengths, select }) =>
    answer(
      name,
      strengths.map((strength) =>
        pairs.map(({ reference, seed }) =>
          measure(reference, takeRows(real, behind(select(labels, size, strength, seed)))),
        ),
      ),
    ),
  )
  return [...answers, ...selections]
}

interface Measured {
  readonly frechet: number
  readonly kid: number
  readonly neighbours: readonly number[] | null
}

/** Averages over answers with 95 % intervals over the pairs of set and corruption. */
export function summary(
  answers: readonly Answer[],
): Record<string, readonly [value: number, low: number, high: number]> {
  const over = (of: (answer: Answer) => number, back = (x: number) => x) => {
    const values = answers.map(of)
    const { value, low, high } = bootstrapInterval((rows) => mean(Array.from(rows, (row) => values[row])), {
      counts: [values.length],
    })
    return [back(value), back(low), back(high)] as const
  }
  // Below a tenth of a deviation nothing is seen.
  const log = (signal: number) => Math.log(Math.max(signal, 0.1))
  return {
    orderFrechet: over(({ order }) => order.frechet),
    orderKid: over(({ order }) => order.kid),
    signalFrechet: over(({ signal }) => log(signal.frechet), Math.exp),
    signalKid: over(({ signal }) => log(signal.kid), Math.exp),
    ...(answers.some(({ seenByNeighbours }) => seenByNeighbours === null)
      ? {}
      : { seenByNeighbours: over(({ seenByNeighbours }) => seenByNeighbours!) }),
  }
}

function inOrder(values: readonly number[]): number {
  return mean(values.slice(1).map((value, i) => (value > values[i] ? 1 : 0)))
}

function signalOf(values: readonly number[], floors: readonly number[]): number {
  return (mean(values) - mean(floors)) / deviation(floors)
}

function sees(list: readonly Measured[], floors: readonly Measured[]): number {
  const isSeen = FOURFOLD.some((_, i) => {
    const floor = floors.map(({ neighbours }) => neighbours![i])
    return Math.abs(mean(list.map(({ neighbours }) => neighbours![i])) - mean(floor)) > 3 * deviation(floor)
  })
  return isSeen ? 1 : 0
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}

function deviation(values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1))
}
