import { checkColumns, checkLevel, DECADE, factorText, numDifferent, spanOf } from './checks.js'
import { fitLine, type Interval, predictOnLine, slopeInterval } from './line.js'
import { solvePositive } from './linear-algebra.js'

/** Losses of runs at a few budgets of compute, several sizes at each. */
export interface IsoFlopTable {
  /** Compute of each run; runs of one budget have the same number, to one in 1e6. */
  readonly compute: ArrayLike<number>
  readonly n: ArrayLike<number>
  readonly loss: ArrayLike<number>
}

/** The parabola of a budget: `loss = curvature (log10 n - log10 n_opt)^2 + lossOpt`. */
export interface IsoFlopParabola {
  readonly compute: number
  readonly nOpt: number
  readonly lossOpt: number
  /** Coefficient of the square, above 0. */
  readonly curvature: number
  /** Whether the vertex lies between the smallest and the largest size. */
  readonly isInside: boolean
  readonly numSizes: number
}

/** Best sizes of budgets, and a line through their logarithms. */
export interface IsoFlopFit {
  readonly parabolas: readonly IsoFlopParabola[]
  /** `log10 nOpt = interceptN + exponentN log10 compute` */
  readonly exponentN: number
  readonly interceptN: number
  /** Student-t interval of the exponent, from the scatter about the line; null with two budgets. */
  readonly interval: Interval | null
  readonly warnings: readonly string[]
  /** The best size at a budget, and the interval in which the vertex of a new parabola would lie. */
  readonly predict: (compute: number) => { readonly nOpt: number; readonly interval: Interval | null }
}

const FEWEST_SIZES = 3
/** Budgets behind an interval that deserves the name. */
const FEWEST_BUDGETS = 4
/** Places of vertices in their windows, 0 the smallest size and 1 the largest, further apart than this bias the exponent. */
const MOST_DRIFT = 0.2

/**
 * Chinchilla's second approach: a least-squares parabola of the loss in log10 n for each budget, and a line through the logarithms of
 * their vertices.
 *
 * A parabola is biased even without noise where alpha and beta differ: sample sizes evenly about each optimum, in a window as narrow as
 * the noise allows.
 *
 * @param level  share of the intervals; default 0.95
 * @throws RangeError for a single budget, a budget with fewer than 3 sizes, or one whose parabola has no minimum
 *
 * Hoffmann et al. 2022, section 3.2.
 */
export function fitIsoFlop(table: IsoFlopTable, { level = 0.95 }: { readonly level?: number } = {}): IsoFlopFit {
  const { compute, n, loss } = table
  checkLevel('fitIsoFlop', level)
  checkColumns('fitIsoFlop', { compute, n, loss })
  const budgets = groupBudgets(compute)
  if (budgets.length < 2) throw new RangeError(`fitIsoFlop: an exponent needs two budgets; there is ${budgets.length}`)
  const windows = budgets.map((rows) => ({ n: rows.map((row) => n[row]), loss: rows.map((row) => loss[row]) }))
  const parabolas = budgets.map((rows, i) => vertexOf(compute[rows[0]], windows[i]))
  const line = fitLine(
    parabolas.map((each) => Math.log10(each.compute)),
    parabolas.map(({ nOpt }) => Math.log10(nOpt)),
  )
  return {
    parabolas,
    exponentN: line.slope,
    interceptN: line.intercept,
    interval: slopeInterval(line, level),
    warnings: warningsOf(parabolas, windows),
    predict(at) {
      if (!(at > 0)) throw new RangeError(`fitIsoFlop: compute must be above 0; it is ${at}`)
      const { value, interval } = predictOnLine(line, Math.log10(at), level)
      return {
        nOpt: 10 ** value,
        interval: interval === null ? null : { low: 10 ** interval.low, high: 10 ** interval.high },
      }
    },
  }
}

/** Rows of each budget, the smallest first. */
function groupBudgets(compute: ArrayLike<number>): number[][] {
  const order = Array.from(compute, (_, row) => row).toSorted((a, b) => compute[a] - compute[b])
  const groups: number[][] = []
  for (const row of order) {
    const last = groups.at(-1)
    if (last !== undefined && compute[row] <= compute[last[0]] * (1 + 1e-6)) last.push(row)
    else groups.push([row])
  }
  return groups
}

function vertexOf(compute: number, { n, loss }: { n: number[]; loss: number[] }): IsoFlopParabola {
  const numSizes = numDifferent(n)
  if (numSizes < FEWEST_SIZES) {
    throw new RangeError(
      `fitIsoFlop: a parabola needs ${FEWEST_SIZES} sizes; budget ${compute.toPrecision(4)} has ${numSizes}`,
    )
  }
  const { constant, slope, curvature, centre } = fitParabola(n.map(Math.log10), loss)
  if (!(curvature > 0)) {
    throw new RangeError(
      `fitIsoFlop: the parabola of budget ${compute.toPrecision(4)} has no minimum (curvature ${curvature.toPrecision(3)}); sample more sizes about the best one, or leave the budget out`,
    )
  }
  const vertex = -slope / (2 * curvature)
  const nOpt = 10 ** (centre + vertex)
  return {
    compute,
    nOpt,
    lossOpt: constant - (slope * slope) / (4 * curvature),
    curvature,
    isInside: nOpt >= Math.min(...n) && nOpt <= Math.max(...n),
    numSizes,
  }
}

/** Least-squares parabola about the centre of `x`, scaled to make its columns nearly orthogonal. */
function fitParabola(
  x: readonly number[],
  y: readonly number[],
): { constant: number; slope: number; curvature: number; centre: number } {
  const centre = x.reduce((sum, value) => sum + value, 0) / x.length
  const reach = Math.max(...x.map((value) => Math.abs(value - centre)))
  const z = x.map((value) => (value - centre) / reach)
  const meanSquare = z.reduce((sum, value) => sum + value * value, 0) / z.length
  const meanY = y.reduce((sum, value) => sum + value, 0) / y.length
  const columns = z.map((value) => [value, value * value - meanSquare])
  const gram = [0, 1].map((i) => [0, 1].map((j) => columns.reduce((sum, row) => sum + row[i] * row[j], 0)))
  const right = [0, 1].map((i) => columns.reduce((sum, row, k) => sum + row[i] * (y[k] - meanY), 0))
  const found = solvePositive(gram, right)
  if (found === null) throw new RangeError('fitIsoFlop: sizes of a budget are too alike for a parabola')
  const [slope, curvature] = found
  return { constant: meanY - curvature * meanSquare, slope: slope / reach, curvature: curvature / reach ** 2, centre }
}

function warningsOf(parabolas: readonly IsoFlopParabola[], windows: readonly { readonly n: number[] }[]): string[] {
  const outside = parabolas.filter(({ isInside }) => !isInside)
  const places = parabolas.map(({ nOpt }, i) => {
    const [low, high] = [Math.min(...windows[i].n), Math.max(...windows[i].n)]
    return Math.log(nOpt / low) / Math.log(high / low)
  })
  const drift = Math.max(...places) - Math.min(...places)
  const span = spanOf(parabolas.map(({ compute }) => compute))
  const exact = parabolas.filter(({ numSizes }) => numSizes === FEWEST_SIZES).length
  return [
    ...(outside.length === 0
      ? []
      : [
          `the vertices of ${outside.length} of ${parabolas.length} budgets lie outside the sampled sizes (compute ${outside.map(({ compute }) => compute.toPrecision(3)).join(', ')}): they are extrapolations, and biased`,
        ]),
    ...(parabolas.length < FEWEST_BUDGETS
      ? [`there are only ${parabolas.length} budgets: an interval worth the name needs ${FEWEST_BUDGETS}`]
      : []),
    ...(span < DECADE
      ? [`the budgets span only ${factorText(span)}: under a decade the exponent is hardly determined`]
      : []),
    ...(exact > 0
      ? [`${exact} of ${parabolas.length} budgets have just 3 sizes: their parabolas pass through noise`]
      : []),
    ...(drift > MOST_DRIFT && outside.length === 0
      ? ['the optimum moves through the window of sizes from budget to budget, which biases the exponent']
      : []),
  ]
}
