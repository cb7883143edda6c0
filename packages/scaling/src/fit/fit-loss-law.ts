import { checkColumns, DECADE, factorText, numDifferent, spanOf } from './checks.js'
import { symmetricEigenvalues } from './linear-algebra.js'
import {
  coordinatesOf,
  type Estimator,
  lawObjective,
  lawOf,
  lawRows,
  type LawRows,
  logResiduals,
} from './law-objective.js'
import { lawStarts } from './law-starts.js'
import { type LossLaw, sizeExponent } from './loss-law.js'
import { minimise } from './newton.js'

/** Losses of trained networks; row `i` of each column belongs to one run. */
export interface LossTable {
  /** Sizes: parameters, or multiply-adds of a forward pass. */
  readonly n: ArrayLike<number>
  /** Data seen: training examples or tokens. */
  readonly d: ArrayLike<number>
  readonly loss: ArrayLike<number>
}

/** Options of `fitLossLaw`. */
export interface LossLawOptions {
  /**
   * `huber`: Chinchilla's third approach, hardly moved by outliers. `logSquares`: squares of ln loss. `linearSquares`: squares of the
   * loss. Default: `huber`.
   */
  readonly estimator?: Estimator
  /** Rows to fit, repeats allowed, such as a bootstrap resample; default: each once. */
  readonly rows?: ArrayLike<number>
}

/** A law through a table. */
export interface LossLawFit {
  readonly law: LossLaw
  /** `beta / (alpha + beta)`: compute-optimal size grows as compute to this power. */
  readonly exponentN: number
  readonly estimator: Estimator
  /** What was made small, summed over the rows. */
  readonly objective: number
  /** `ln(loss / law)` of each row of the table, fitted or not. */
  readonly residuals: readonly number[]
  /** Condition number of the Jacobian at the fit, columns of unit length; above 1e4 the terms cannot be told apart. */
  readonly condition: number
  /** What the data cannot tell; a fit with warnings must not be shown without them. */
  readonly warnings: readonly string[]
}

/** Places of the grid from which a table is fitted. */
const NUM_STARTS = 5
/** Parameters of a law. */
const NUM_PARAMETERS = 5
/** Values of size, and of data, behind which the three numbers of each side stand. */
const FEWEST_VALUES = 3
/** Ordinary tables have conditions of 30 to 300; one along `d = 20 n`, 3e5. */
const MOST_CONDITION = 1e4
/** Below this share of the smallest loss, a term is not seen. */
const NEGLIGIBLE = 1e-4

/**
 * Fits `loss = E + A / n^alpha + B / d^beta`.
 *
 * Starts come from a grid of exponents with non-negative least squares inside; a damped Newton from the best of them ends where only
 * rounding is left.
 *
 * @throws RangeError for columns that are not positive, fewer than 6 different points, fewer than 3 different values of `n` or `d`, or a
 * coefficient that no number holds
 *
 * Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", section 3.3: Huber's loss, delta 1e-3, of ln loss, here
 * summed. Besiroglu et al. 2024, "Chinchilla Scaling: A Replication Attempt", say what its mean does to a minimiser.
 */
export function fitLossLaw(table: LossTable, { estimator = 'huber', rows }: LossLawOptions = {}): LossLawFit {
  checkEstimator(estimator)
  const weights = checkTable(table, rows)
  const prepared = lawRows(table.n, table.d, table.loss, weights)
  return fitPrepared(table, prepared, estimator, lawStarts(prepared, NUM_STARTS))
}

/**
 * Fits resamples of a table, each from the fit of the whole and the best place of its grid.
 *
 * @returns a function of the rows of a resample, which throws as `fitLossLaw` does
 */
export function refitter(table: LossTable, { law, estimator }: LossLawFit): (rows: ArrayLike<number>) => LossLawFit {
  const whole = lawRows(table.n, table.d, table.loss, new Float64Array(table.n.length).fill(1))
  const starts = [coordinatesOf(law, whole), ...lawStarts(whole, 1)]
  return (rows) => {
    const weights = checkTable(table, rows)
    return fitPrepared(table, lawRows(table.n, table.d, table.loss, weights), estimator, starts)
  }
}

function fitPrepared(table: LossTable, rows: LawRows, estimator: Estimator, starts: readonly number[][]): LossLawFit {
  const objective = lawObjective(rows, estimator)
  // Huber's loss is nearly one of absolute values: squares lead to where it begins to curve.
  const smooth = lawObjective(rows, 'logSquares')
  const places = estimator === 'huber' ? starts.flatMap((start) => [start, minimise(smooth, start).at]) : starts
  const minima = places.map((start) => minimise(objective, start)).toSorted((a, b) => a.value - b.value)
  const [best] = minima
  if (!Number.isFinite(best.value))
    throw new RangeError('fitLossLaw: the law cannot be evaluated on these numbers; check their units')
  const law = lawOf(best.at, rows)
  for (const [coefficient, exponent] of [
    ['A', 'alpha'],
    ['B', 'beta'],
  ] as const) {
    if (!Number.isFinite(law[coefficient]))
      throw new RangeError(
        `fitLossLaw: with ${exponent} = ${law[exponent].toPrecision(3)}, ${coefficient} is too large for a number: the data do not determine them`,
      )
  }
  const condition = jacobianCondition(best.at, rows)
  return {
    law,
    exponentN: sizeExponent(law),
    estimator,
    objective: best.value,
    residuals: logResiduals(law, table.n, table.d, table.loss),
    condition,
    warnings: [
      ...warningsOf(table, rows, law, condition),
      ...(best.isConverged ? [] : ['the minimiser did not converge']),
    ],
  }
}

function checkEstimator(estimator: Estimator): void {
  if (!['huber', 'logSquares', 'linearSquares'].includes(estimator))
    throw new RangeError(`fitLossLaw: estimator must be huber, logSquares or linearSquares; it is ${estimator}`)
}

/** Checks a table and the chosen rows of it; returns how often each row counts. */
function checkTable({ n, d, loss }: LossTable, rows: ArrayLike<number> | undefined): Float64Array {
  checkColumns('fitLossLaw', { n, d, loss })
  const weights = new Float64Array(n.length).fill(rows === undefined ? 1 : 0)
  for (const row of Array.from(rows ?? [])) {
    if (!(row in weights)) throw new RangeError(`fitLossLaw: rows must be 0 to ${n.length - 1}; one is ${row}`)
    weights[row]++
  }
  const kept = [...weights.keys()].filter((row) => weights[row] > 0)
  const points = new Set(kept.map((row) => `${n[row]} ${d[row]}`)).size
  if (points <= NUM_PARAMETERS) {
    throw new RangeError(
      `fitLossLaw: a law of ${NUM_PARAMETERS} parameters needs at least ${NUM_PARAMETERS + 1} different points (n, d); there are ${points}`,
    )
  }
  for (const [name, values] of Object.entries({ n, d })) {
    const count = numDifferent(kept.map((row) => values[row]))
    if (count < FEWEST_VALUES) {
      throw new RangeError(
        `fitLossLaw: a floor, a coefficient and an exponent need ${FEWEST_VALUES} different values of ${name}; there ${count === 1 ? 'is' : 'are'} ${count}`,
      )
    }
  }
  return weights
}

/** Ratio of the extreme singular values of the derivatives of ln loss, each column scaled to length 1. */
function jacobianCondition(at: readonly number[], rows: LawRows): number {
  const [a, b, e, alpha, beta] = at
  const gram = at.map(() => new Array<number>(NUM_PARAMETERS).fill(0))
  for (let row = 0; row < rows.x.length; row++) {
    const [x, y] = [rows.x[row], rows.y[row]]
    const terms = [Math.exp(a - alpha * x), Math.exp(b - beta * y), Math.exp(e)]
    const sum = terms[0] + terms[1] + terms[2]
    const [pA, pB, pE] = terms.map((term) => term / sum)
    const slope = [pA, pB, pE, -x * pA, -y * pB]
    for (let i = 0; i < NUM_PARAMETERS; i++)
      for (let j = 0; j < NUM_PARAMETERS; j++) gram[i][j] += rows.weights[row] * slope[i] * slope[j]
  }
  const scaled = gram.map((line, i) => line.map((entry, j) => entry / Math.sqrt(gram[i][i] * gram[j][j])))
  const eigenvalues = symmetricEigenvalues(scaled)
  return Math.sqrt(eigenvalues[NUM_PARAMETERS - 1] / Math.max(eigenvalues[0], Number.MIN_VALUE))
}

function warningsOf({ n, d, loss }: LossTable, rows: LawRows, law: LossLaw, condition: number): string[] {
  const kept = [...rows.weights.keys()].filter((row) => rows.weights[row] > 0)
  const of = (values: ArrayLike<number>) => kept.map((row) => values[row])
  const warnings: string[] = []
  for (const [name, values] of Object.entries({ n: of(n), d: of(d) })) {
    if (spanOf(values) < DECADE)
      warnings.push(
        `${name} spans only ${factorText(spanOf(values))}: under a decade its exponent is hardly determined, and nothing should be extrapolated`,
      )
  }
  if (!(condition < MOST_CONDITION))
    warnings.push(
      `the terms in n and d can hardly be told apart (condition ${condition.toExponential(1)}): n and d vary together; train some sizes on more or less data`,
    )
  for (const [variable, exponent] of [
    ['n', law.alpha],
    ['d', law.beta],
  ] as const) {
    if (!(exponent > 0))
      warnings.push(
        `the loss does not fall with ${variable} (exponent ${exponent.toPrecision(2)}): no use of compute is best`,
      )
  }
  const smallest = Math.min(...of(loss))
  const [largestN, largestD] = [Math.max(...of(n)), Math.max(...of(d))]
  const terms = { E: law.E, 'A / n^alpha': law.A * largestN ** -law.alpha, 'B / d^beta': law.B * largestD ** -law.beta }
  for (const [name, term] of Object.entries(terms)) {
    if (term < NEGLIGIBLE * smallest && name === 'E')
      warnings.push('the best floor E is 0: the losses show no floor, and none must be reported as measured')
    else if (term < 1e-8 * smallest || !Number.isFinite(term))
      warnings.push(`the term ${name} vanishes: the data do not determine it`)
  }
  return warnings
}
