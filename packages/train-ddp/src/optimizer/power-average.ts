/**
 * Averages whose weights grow as a power of the training time, and averages of any width made of stored ones afterwards.
 *
 *   weight(t) ~ (t / T)^exponent          for 0 <= t <= T
 *
 * Their width, the standard deviation of t / T under these weights, stays the same however long the run is.
 *
 * Karras et al. 2024, "Analyzing and Improving the Training Dynamics of Diffusion Models", section 3 and appendix C.
 */

/** The width of constant weights, an exponent of 0: the widest that is taken. */
const WIDEST = Math.sqrt(1 / 12)

/**
 * Exponent of the power profile with a width.
 *
 *   (g + 2)^2 (g + 3) = width^-2 (g + 1)        its largest root
 *
 * @param width above 0, at most sqrt(1 / 12) = 0.289
 * @throws RangeError outside of that
 */
export function exponentOfWidth(width: number): number {
  if (!(width > 0 && width <= WIDEST)) {
    throw new RangeError(`exponentOfWidth: the width must be above 0, at most ${WIDEST.toFixed(4)} (got ${width})`)
  }
  const s = width ** -2
  // To the right of the largest root the cubic is convex, so that Newton's method falls towards it.
  let g = Math.sqrt(s)
  for (let i = 0; i < 100; i++) {
    const value = ((g + 7) * g + 16 - s) * g + 12 - s
    const next = g - value / ((3 * g + 14) * g + 16 - s)
    if (!(next < g)) break
    g = next
  }
  return g
}

/** Width of the power profile with an exponent: sqrt((g + 1) / ((g + 2)^2 (g + 3))). */
export function widthOfExponent(exponent: number): number {
  return Math.sqrt((exponent + 1) / ((exponent + 2) ** 2 * (exponent + 3)))
}

/**
 * Decay with which an average follows the power profile.
 *
 *   decay = (1 - since / time)^(exponent + 1)
 *
 * @param time after this update, in steps or examples
 * @param since the update before (default 1)
 */
export function powerDecay(width: number, time: number, since = 1): number {
  return (1 - since / time) ** (exponentOfWidth(width) + 1)
}

/** An average that was stored: the time of its last update, and its width. */
export interface StoredAverage {
  readonly time: number
  readonly width: number
}

/** Weights of the parameters at times 0 to length - 1 in an average; they sum to 1. */
export function powerProfile({ time, width }: StoredAverage, length: number): Float64Array {
  const exponent = exponentOfWidth(width)
  const weights = Float64Array.from({ length }, (_, t) => (t <= time ? (t / time) ** exponent : 0))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

/**
 * By what stored averages are to be multiplied so that their sum comes nearest to an average that was not stored; the factors sum
 * to 1 and some are negative.
 *
 * @param stored with different times or widths: some of two widths, over the run
 * @param wanted at a time that training has reached
 * @throws RangeError without stored averages, or where two of them are the same
 *
 * @example
 * posthocFactors([{ time: 1000, width: 0.05 }, { time: 1000, width: 0.1 }], { time: 1000, width: 0.07 })
 */
export function posthocFactors(stored: readonly StoredAverage[], wanted: StoredAverage): Float64Array {
  if (stored.length === 0) throw new RangeError('posthocFactors: there must be a stored average (got none)')
  const rows = stored.map((a) => [...stored.map((b) => overlap(a, b)), overlap(a, wanted)])
  const factors = solve(rows)
  const total = factors.reduce((sum, factor) => sum + factor, 0)
  return factors.map((factor) => factor / total)
}

/** Inner product of two profiles in continuous time, the integral of both over all times. */
function overlap(a: StoredAverage, b: StoredAverage): number {
  const [g, h] = [exponentOfWidth(a.width), exponentOfWidth(b.width)]
  const ratio = a.time / b.time
  const power = a.time < b.time ? h : -g
  return ((g + 1) * (h + 1) * ratio ** power) / ((g + h + 1) * Math.max(a.time, b.time))
}

/** Solution of the linear system with rows [A | b], by elimination with the largest pivot. */
function solve(rows: number[][]): Float64Array {
  const size = rows.length
  for (let i = 0; i < size; i++) {
    const pivot = rows.slice(i).reduce((best, row, k) => (Math.abs(row[i]) > Math.abs(rows[best][i]) ? i + k : best), i)
    ;[rows[i], rows[pivot]] = [rows[pivot], rows[i]]
    if (rows[i][i] === 0) throw new RangeError('posthocFactors: two stored averages have the same time and width')
    for (let k = i + 1; k < size; k++) {
      const factor = rows[k][i] / rows[i][i]
      for (let j = i; j <= size; j++) rows[k][j] -= factor * rows[i][j]
    }
  }
  const solution = new Float64Array(size)
  for (let i = size - 1; i >= 0; i--) {
    const known = solution.reduce((sum, value, j) => (j > i ? sum + rows[i][j] * value : sum), 0)
    solution[i] = (rows[i][size] - known) / rows[i][i]
  }
  return solution
}
