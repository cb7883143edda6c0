import { checkFeatures, type Features, takeRows } from './features.js'
import { deviationOf, meanOf } from './mean.js'

/**
 * How samples are cut into splits, after the program that does so.
 *
 * - `torch-fidelity`: split i is rows floor(i N / splits) to floor((i + 1) N / splits), as in the paper's code
 * - `adm`: runs of `splitSize` rows, the last one shorter but of equal weight; no standard deviation
 * - `dgm-eval`: splits of floor(N / splits) rows; the rest is dropped
 * - `torchmetrics`: splits of ceil(N / splits) rows, so maybe fewer; the deviation divides by their number less one
 */
export type SplitRule = 'torch-fidelity' | 'adm' | 'dgm-eval' | 'torchmetrics'

/** Options of `inceptionScore`. */
export interface InceptionScoreOptions {
  /** What the rows are. Default: `logits`. */
  readonly input?: 'logits' | 'probabilities'
  /** Default: `torch-fidelity`. */
  readonly rule?: SplitRule
  /** Number of splits, for every rule but `adm`. Default: 10. */
  readonly splits?: number
  /** Rows of a split by the rule `adm`. Default: 5000. */
  readonly splitSize?: number
  /** The order in which rows are split, such as a seeded shuffle. Default: as they come. */
  readonly order?: ArrayLike<number>
}

/** Inception Score over splits. */
export interface InceptionScore {
  readonly mean: number
  /** Standard deviation over splits; null by a rule that gives none. */
  readonly std: number | null
  readonly scores: readonly number[]
  /** First row of each split, and the row behind its last. */
  readonly bounds: readonly (readonly [number, number])[]
  readonly warnings: readonly string[]
}

/**
 * Inception Score: exp of the mean divergence of a sample's class probabilities from those of all samples of its split.
 *
 *   exp(E KL(p(y|x) || p(y)))        0 log 0 = 0
 *
 * It is between 1 and the number of classes. ADM and torch-fidelity take the logits without the bias of the last layer.
 *
 * @param rows  `[N, classes]`; the softmax is taken here, in float64
 * @throws RangeError when a split would be empty, a probability is negative, or those of a row do not add up to 1
 *
 * Salimans et al. 2016, "Improved Techniques for Training GANs", section 4.
 */
export function inceptionScore(rows: Features, options: InceptionScoreOptions = {}): InceptionScore {
  const { input = 'logits', rule = 'torch-fidelity', order } = options
  const { count, width } = checkFeatures('inceptionScore', input, rows)
  if (order !== undefined && order.length !== count)
    throw new RangeError(`inceptionScore: the order must list all ${count} rows; it lists ${order.length}`)
  const ordered = order === undefined ? rows : takeRows(rows, order)
  const bounds = splitBounds(count, rule, options)
  const scores = bounds.map(([start, end]) => {
    const sums = emptyClassSums(width)
    addRows(sums, ordered.data.subarray(start * width, end * width), input)
    return scoreOf(sums)
  })
  const fewest = Math.min(...bounds.map(([start, end]) => end - start))
  const warnings =
    fewest < width
      ? [
          `a split has ${fewest} rows for ${width} classes, and its score cannot exceed ${fewest}; take fewer splits or more samples`,
        ]
      : []
  return { mean: meanOf(scores), std: deviation(scores, rule), scores, bounds, warnings }
}

/** What is kept of class probabilities that come in pieces, for one split. Plain data. */
export interface ClassSums {
  count: number
  /** Sum of p, one number a class. */
  readonly sumP: Float64Array
  /** Sum of p log p over rows and classes. */
  sumPLogP: number
}

/** Sums of no rows. */
export function emptyClassSums(classes: number): ClassSums {
  if (!Number.isInteger(classes) || classes < 1)
    throw new RangeError(`emptyClassSums: the number of classes must be a positive integer; it is ${classes}`)
  return { count: 0, sumP: new Float64Array(classes), sumPLogP: 0 }
}

/** Adds rows of logits or probabilities to sums, in place. */
export function addClassRows(sums: ClassSums, rows: Features, input: 'logits' | 'probabilities' = 'logits'): void {
  const { width } = checkFeatures('addClassRows', input, rows, 0)
  checkClasses('addClassRows', sums, width)
  addRows(sums, rows.data, input)
}

/** Adds the sums of other rows, such as those of another worker, in place. */
export function mergeClassSums(into: ClassSums, from: ClassSums): void {
  checkClasses('mergeClassSums', into, from.sumP.length)
  into.count += from.count
  into.sumPLogP += from.sumPLogP
  for (let i = 0; i < into.sumP.length; i++) into.sumP[i] += from.sumP[i]
}

/**
 * Inception Score of one split from its sums.
 *
 * @throws RangeError when there are no rows
 */
export function classSumsScore(sums: ClassSums): number {
  if (!(sums.count > 0)) throw new RangeError('classSumsScore: the score needs at least one row; there is none')
  return scoreOf(sums)
}

function checkClasses(who: string, { sumP }: ClassSums, classes: number): void {
  if (sumP.length !== classes)
    throw new RangeError(`${who}: there must be as many classes as before, ${sumP.length}; there are ${classes}`)
}

function scoreOf({ count, sumP, sumPLogP }: ClassSums): number {
  let negentropy = 0
  for (const sum of sumP) if (sum > 0) negentropy += (sum / count) * Math.log(sum / count)
  return Math.exp(sumPLogP / count - negentropy)
}

/** Float32 probabilities of 1000 classes add up to 1 within 1e-4. */
const PROBABILITY_SLACK = 1e-3

function addRows(sums: ClassSums, data: Float32Array | Float64Array, input: 'logits' | 'probabilities'): void {
  const classes = sums.sumP.length
  const p = new Float64Array(classes)
  for (let start = 0; start < data.length; start += classes) {
    const row = data.subarray(start, start + classes)
    sums.sumPLogP += input === 'logits' ? softmax(row, p) : probabilities(row, p, start / classes)
    for (let i = 0; i < classes; i++) sums.sumP[i] += p[i]
    sums.count++
  }
}

/** Fills p and returns the sum of p log p. */
function softmax(logits: Float32Array | Float64Array, p: Float64Array): number {
  let most = -Infinity
  for (const z of logits) most = Math.max(most, z)
  let total = 0
  for (let i = 0; i < p.length; i++) total += p[i] = Math.exp(logits[i] - most)
  const logTotal = Math.log(total)
  let sum = 0
  for (let i = 0; i < p.length; i++) {
    p[i] /= total
    sum += p[i] * (logits[i] - most - logTotal)
  }
  return sum
}

function probabilities(row: Float32Array | Float64Array, p: Float64Array, index: number): number {
  let [total, sum] = [0, 0]
  for (let i = 0; i < p.length; i++) {
    if (row[i] < 0) throw new RangeError(`inceptionScore: probabilities must be at least 0; row ${index} has ${row[i]}`)
    p[i] = row[i]
    total += p[i]
    if (p[i] > 0) sum += p[i] * Math.log(p[i])
  }
  if (Math.abs(total - 1) > PROBABILITY_SLACK) {
    throw new RangeError(
      `inceptionScore: the probabilities of a row must add up to 1; those of row ${index} give ${total}. For logits, input: 'logits'`,
    )
  }
  return sum
}

function splitBounds(
  count: number,
  rule: SplitRule,
  { splits = 10, splitSize = 5000 }: InceptionScoreOptions,
): [number, number][] {
  const [what, value] = rule === 'adm' ? ['splitSize', splitSize] : ['splits', splits]
  if (!Number.isInteger(value) || value < 1)
    throw new RangeError(`inceptionScore: ${what} must be a positive integer; it is ${value}`)
  const mayBeEmpty = rule === 'torch-fidelity' || rule === 'dgm-eval'
  if (mayBeEmpty && count < splits) {
    throw new RangeError(
      `inceptionScore: ${count} rows do not fill ${splits} splits by the rule ${rule}; take splits: ${count} or fewer`,
    )
  }
  switch (rule) {
    case 'torch-fidelity':
      return Array.from({ length: splits }, (_, i) => [
        Math.floor((i * count) / splits),
        Math.floor(((i + 1) * count) / splits),
      ])
    case 'dgm-eval':
      return runs(Math.floor(count / splits), splits, count)
    case 'adm':
      return runs(splitSize, Math.ceil(count / splitSize), count)
    case 'torchmetrics': {
      const size = Math.ceil(count / splits)
      return runs(size, Math.ceil(count / size), count)
    }
    default:
      throw new RangeError(
        `inceptionScore: the rule must be torch-fidelity, adm, dgm-eval or torchmetrics; it is ${String(rule)}`,
      )
  }
}

function runs(size: number, numRuns: number, count: number): [number, number][] {
  return Array.from({ length: numRuns }, (_, i) => [i * size, Math.min((i + 1) * size, count)])
}

function deviation(scores: readonly number[], rule: SplitRule): number | null {
  const divisor = rule === 'torchmetrics' ? scores.length - 1 : scores.length
  return rule === 'adm' || divisor === 0 ? null : deviationOf(scores, divisor)
}
