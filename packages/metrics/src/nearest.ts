import { type DistanceBlock, estimateOf, nextNear, squaredDistance, visitDistances } from './distance-blocks.js'
import { checkFeatures, checkWidths, type Features } from './features.js'
import { plainProducts, type Products } from './products.js'

/** Options of `nearestRows`. */
export interface NearestOptions {
  /** How many. Default: 1. */
  readonly k?: number
  readonly products?: Products
}

/** For each query its nearest rows, the nearest first, and of equals the one of lower index. */
export interface NearestRows {
  readonly k: number
  /** `[queries, k]` */
  readonly indices: Int32Array
  /** `[queries, k]`, in float64 */
  readonly distances: Float64Array
}

/**
 * The k nearest rows of a set for each query: nearest training pictures beside samples, radii of neighbourhoods.
 *
 * If `queries` and `set` are the same object, a row is no neighbour of itself; a duplicate of it is one, at distance 0. Distances are
 * Euclidean and exact: products only rule out what is farther.
 *
 * @throws RangeError when the set has fewer than k rows (k + 1 if it is the queries), or the widths differ
 */
export function nearestRows(
  queries: Features,
  set: Features,
  { k = 1, products = plainProducts }: NearestOptions = {},
): NearestRows {
  const { width } = checkFeatures('nearestRows', 'queries', queries)
  if (set !== queries) checkWidths('nearestRows', width, checkFeatures('nearestRows', 'the set', set).width)
  checkNeighbours('nearestRows', 'the set', k, set.shape[0] - (set === queries ? 1 : 0))
  const { indices, squares } = nearestSquares(queries, set, k, products)
  return { k, indices, distances: squares.map(Math.sqrt) }
}

/** @throws RangeError unless k is an integer in 1 .. others */
export function checkNeighbours(who: string, what: string, k: number, others: number): void {
  if (!Number.isInteger(k) || k < 1) throw new RangeError(`${who}: k must be a positive integer; it is ${k}`)
  if (k > others)
    throw new RangeError(
      `${who}: a sample must have k = ${k} neighbours; in ${what} it has ${others === 0 ? 'none' : `only ${others}`}`,
    )
}

/** The same for what is checked, with squared distances. */
export function nearestSquares(
  queries: Features,
  set: Features,
  k: number,
  products: Products,
): { indices: Int32Array; squares: Float64Array } {
  const [count] = queries.shape
  const isOneSet = queries === set
  const found = candidateLists(count, k)
  // Rows of another set look for no neighbours.
  const limitsOfSet = isOneSet ? found.limits : new Float64Array(set.shape[0]).fill(-Infinity)
  visitDistances(queries, set, products, (block) => findCandidates(block, found, isOneSet, limitsOfSet))
  const indices = new Int32Array(count * k)
  const squares = new Float64Array(count * k)
  for (let i = 0; i < count; i++) {
    const exact = found
      .of(i)
      .map((j) => ({ j, square: squaredDistance(queries, i, set, j) }))
      .toSorted((one, other) => one.square - other.square || one.j - other.j)
    for (let r = 0; r < k; r++) {
      indices[i * k + r] = exact[r].j
      squares[i * k + r] = exact[r].square
    }
  }
  return { indices, squares }
}

/** Radius of each sample: distance to its k-th nearest other, squared. */
export function squaredRadii(features: Features, k: number, products: Products): Float64Array {
  const { squares } = nearestSquares(features, features, k, products)
  return Float64Array.from({ length: features.shape[0] }, (_, i) => squares[i * k + k - 1])
}

/** What may still be among the k nearest, row by row. */
interface Candidates {
  /** No row of the set that is farther than this can be: the k-th smallest upper bound so far. */
  readonly limits: Float64Array
  note(row: number, index: number, low: number, high: number): void
  of(row: number): number[]
}

function candidateLists(count: number, k: number): Candidates {
  const limits = new Float64Array(count).fill(Infinity)
  // The k smallest upper bounds of each row, ascending.
  const highs = new Float64Array(count * k).fill(Infinity)
  const lists = Array.from({ length: count }, () => ({
    indices: [] as number[],
    lows: [] as number[],
    room: 4 * k + 32,
  }))
  const prune = (row: number) => {
    const list = lists[row]
    let kept = 0
    for (let i = 0; i < list.indices.length; i++) {
      if (list.lows[i] > limits[row]) continue
      list.indices[kept] = list.indices[i]
      list.lows[kept++] = list.lows[i]
    }
    list.indices.length = list.lows.length = kept
    list.room = Math.max(list.room, 2 * kept)
  }
  return {
    limits,
    note(row, index, low, high) {
      const list = lists[row]
      if (list.indices.length >= list.room) prune(row)
      list.indices.push(index)
      list.lows.push(low)
      let at = row * k + k - 1
      if (!(high < highs[at])) return
      for (; at > row * k && highs[at - 1] > high; at--) highs[at] = highs[at - 1]
      highs[at] = high
      limits[row] = highs[row * k + k - 1]
    },
    of(row) {
      prune(row)
      return lists[row].indices
    },
  }
}

function findCandidates(block: DistanceBlock, found: Candidates, isOneSet: boolean, limitsOfSet: Float64Array): void {
  const { i0, i1, j0, j1 } = block
  const { limits } = found
  for (let i = i0; i < i1; i++) {
    const end = isOneSet ? Math.min(j1, i) : j1
    for (let j = j0; (j = nextNear(block, i, j, end, limits[i], limitsOfSet)) < end; j++) {
      const { estimate, error } = estimateOf(block, i, j)
      const [low, high] = [estimate - error, estimate + error]
      if (!(low > limits[i])) found.note(i, j, low, high)
      if (isOneSet && !(low > limits[j])) found.note(j, i, low, high)
    }
  }
}
