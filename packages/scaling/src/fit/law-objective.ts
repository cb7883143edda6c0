import type { LossLaw } from './loss-law.js'
import type { Derivatives, Objective } from './newton.js'

/** What a fit makes small: a sum over the rows of the table. */
export type Estimator = 'huber' | 'logSquares' | 'linearSquares'

/** Where Huber's loss turns from a parabola into a line, in ln loss. Hoffmann et al. 2022, section D.2. */
export const HUBER_DELTA = 1e-3

/** Residuals of this share of a loss are rounding. */
const ROUNDING = 1e-13

/** A table in the coordinates of the fit: logarithms, sizes and data centred so that the five parameters hardly depend on each other. */
export interface LawRows {
  readonly x: Float64Array
  readonly y: Float64Array
  readonly loss: Float64Array
  readonly logLoss: Float64Array
  /** How often each row counts. */
  readonly weights: Float64Array
  readonly meanX: number
  readonly meanY: number
}

/** Rows of a table, each counted `weights` times. */
export function lawRows(
  n: ArrayLike<number>,
  d: ArrayLike<number>,
  loss: ArrayLike<number>,
  weights: Float64Array,
): LawRows {
  const [logN, logD] = [Float64Array.from(n, Math.log), Float64Array.from(d, Math.log)]
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanX, meanY] = [mean(logN), mean(logD)]
  return {
    x: logN.map((value) => value - meanX),
    y: logD.map((value) => value - meanY),
    loss: Float64Array.from(loss),
    logLoss: Float64Array.from(loss, Math.log),
    weights,
    meanX,
    meanY,
  }
}

/** `[ln A', ln B', ln E, alpha, beta]` with `A' = A / exp(alpha meanX)`, and so on. */
export function coordinatesOf({ E, A, B, alpha, beta }: LossLaw, { meanX, meanY }: LawRows): number[] {
  return [Math.log(A) - alpha * meanX, Math.log(B) - beta * meanY, Math.log(E), alpha, beta]
}

export function lawOf([a, b, e, alpha, beta]: readonly number[], { meanX, meanY }: LawRows): LossLaw {
  return { E: Math.exp(e), A: Math.exp(a + alpha * meanX), B: Math.exp(b + beta * meanY), alpha, beta }
}

/**
 * The objective in the coordinates of `coordinatesOf`, with its exact Hessian.
 *
 *   f = ln(exp(a - alpha x) + exp(b - beta y) + exp(e))
 *   huber          sum rho(ln loss - f)           rho(r) = r^2 / 2 up to delta, delta (|r| - delta / 2) above
 *   logSquares     sum (ln loss - f)^2 / 2
 *   linearSquares  sum (loss - exp f)^2 / 2
 */
export function lawObjective(rows: LawRows, estimator: Estimator): Objective {
  const { x, y, loss, logLoss, weights } = rows
  const isLinear = estimator === 'linearSquares'
  const residual = (row: number, f: number) => (isLinear ? loss[row] - Math.exp(f) : logLoss[row] - f)
  const rho = estimator === 'huber' ? huber : (r: number) => (r * r) / 2
  const scale = isLinear ? Math.max(...loss) : 1
  return {
    rounding: 0.5 * x.length * (ROUNDING * scale) ** 2,
    value([a, b, e, alpha, beta]) {
      let sum = 0
      for (let row = 0; row < x.length; row++) {
        if (weights[row] === 0) continue
        sum += weights[row] * rho(residual(row, logSum(a - alpha * x[row], b - beta * y[row], e)))
      }
      return sum
    },
    derivatives([a, b, e, alpha, beta]): Derivatives {
      let value = 0
      const gradient = new Array<number>(5).fill(0)
      const hessian = gradient.map(() => new Array<number>(5).fill(0))
      for (let row = 0; row < x.length; row++) {
        const weight = weights[row]
        if (weight === 0) continue
        const first = a - alpha * x[row]
        const second = b - beta * y[row]
        const f = logSum(first, second, e)
        const pA = Math.exp(first - f)
        const pB = Math.exp(second - f)
        const pE = Math.exp(e - f)
        const slope = [pA, pB, pE, -x[row] * pA, -y[row] * pB]
        const r = residual(row, f)
        value += weight * rho(r)
        const isInside = estimator !== 'huber' || Math.abs(r) <= HUBER_DELTA
        const pull = isInside ? r : Math.sign(r) * HUBER_DELTA
        // d(prediction) / df, and what is left of f's own curvature.
        const rise = isLinear ? Math.exp(f) : 1
        const squares = weight * ((isInside ? rise * rise : 0) + (isLinear ? 0 : pull))
        const curve = weight * pull * rise
        for (let i = 0; i < 5; i++) {
          gradient[i] -= weight * pull * rise * slope[i]
          for (let j = 0; j <= i; j++) hessian[i][j] += squares * slope[i] * slope[j]
        }
        addCurvature(hessian, curve, { pA, pB, pE, x: x[row], y: y[row] })
      }
      for (let i = 0; i < 5; i++) for (let j = 0; j < i; j++) hessian[j][i] = hessian[i][j]
      return { value, gradient, hessian }
    },
  }
}

/** Subtracts `curve` times the sum over the three terms of p v v', with v the derivatives of a term's exponent. */
function addCurvature(
  hessian: number[][],
  curve: number,
  { pA, pB, pE, x, y }: { pA: number; pB: number; pE: number; x: number; y: number },
): void {
  hessian[0][0] -= curve * pA
  hessian[3][0] += curve * pA * x
  hessian[3][3] -= curve * pA * x * x
  hessian[1][1] -= curve * pB
  hessian[4][1] += curve * pB * y
  hessian[4][4] -= curve * pB * y * y
  hessian[2][2] -= curve * pE
}

function huber(r: number): number {
  const size = Math.abs(r)
  return size <= HUBER_DELTA ? (r * r) / 2 : HUBER_DELTA * (size - HUBER_DELTA / 2)
}

/** ln(exp(a) + exp(b) + exp(c)) without overflow. */
function logSum(a: number, b: number, c: number): number {
  const largest = Math.max(a, b, c)
  return largest + Math.log(Math.exp(a - largest) + Math.exp(b - largest) + Math.exp(c - largest))
}

/** Residuals of a law, in ln loss: positive where the table's loss is larger. */
export function logResiduals(
  { E, A, B, alpha, beta }: LossLaw,
  n: ArrayLike<number>,
  d: ArrayLike<number>,
  loss: ArrayLike<number>,
): number[] {
  return Array.from(loss, (value, row) => Math.log(value / (E + A * n[row] ** -alpha + B * d[row] ** -beta)))
}
