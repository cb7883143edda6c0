import { type Matrix, solvePositive } from './linear-algebra.js'

/** An objective at a place: its value, gradient and Hessian. */
export interface Derivatives {
  readonly value: number
  readonly gradient: readonly number[]
  readonly hessian: Matrix
}

/** What `minimise` needs of an objective. */
export interface Objective {
  /** A value below which only rounding is left; default 0. */
  readonly rounding?: number
  readonly value: (at: readonly number[]) => number
  readonly derivatives: (at: readonly number[]) => Derivatives
}

/** A place where no step makes the objective smaller. */
export interface Minimum {
  readonly at: readonly number[]
  readonly value: number
  /** False if it stopped at the largest number of steps. */
  readonly isConverged: boolean
}

const MOST_STEPS = 400
/** Damping at which a step is too small to change anything. */
const MOST_DAMPING = 1e18

/**
 * Damped Newton: each step solves `(H + damping diag |H|) step = -gradient`, and the damping grows until the objective falls. It
 * ends where only rounding is left.
 *
 * Moré 1978, "The Levenberg-Marquardt algorithm", with the whole Hessian.
 */
export function minimise(objective: Objective, start: readonly number[]): Minimum {
  let at = start
  let { value, gradient, hessian } = objective.derivatives(at)
  if (!Number.isFinite(value)) return { at, value: Infinity, isConverged: false }
  let damping = 1e-3
  let stale = 0
  for (let step = 0; step < MOST_STEPS; step++) {
    const moved = fallingStep(objective, { at, value, gradient, hessian, damping })
    if (moved === null) return { at, value, isConverged: true }
    stale = value - moved.value <= 1e-15 * value ? stale + 1 : 0
    at = moved.at
    damping = Math.max(1e-12, moved.damping / 10)
    ;({ value, gradient, hessian } = objective.derivatives(at))
    if (stale >= 3 || value <= (objective.rounding ?? 0)) return { at, value, isConverged: true }
  }
  return { at, value, isConverged: false }
}

function fallingStep(
  objective: Objective,
  { at, value, gradient, hessian, damping }: Derivatives & { at: readonly number[]; damping: number },
): { at: number[]; value: number; damping: number } | null {
  const scale = Math.max(...hessian.map((row, i) => Math.abs(row[i])))
  if (!(scale > 0)) return null
  for (let strength = damping; strength < MOST_DAMPING; strength *= 4) {
    const damped = hessian.map((row, i) =>
      row.map((entry, j) => (i === j ? entry + strength * (Math.abs(entry) + 1e-6 * scale) : entry)),
    )
    const step = solvePositive(
      damped,
      gradient.map((slope) => -slope),
    )
    if (step === null) continue
    // Rounding hides a smaller decrease, and more damping only makes it smaller.
    if (-dot(gradient, step) <= 1e-16 * value) return null
    const next = at.map((coordinate, i) => coordinate + step[i])
    const nextValue = objective.value(next)
    if (nextValue < value) return { at: next, value: nextValue, damping: strength }
  }
  return null
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0)
}
