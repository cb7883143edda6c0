import type { Backend } from '../backend.js'
import type { TensorData } from '../dtype.js'
import { formatShape, type Shape, stridesOf } from '../shape.js'

/**
 * How far a value may lie from the float64 one, in terms of eps, the spacing of the engine's floats at 1 (2^-23 for f32):
 *
 * - `exact`: not at all.
 * - `eps`: `eps(i, want)` of them at element i, for functions whose error is known, such as 1/2 for one correct rounding.
 * - `terms`: (4 + sqrt(terms)) (movement + eps scale), for everything that sums. `scale` is the largest magnitude of the
 *   result; `movement` is how far the result moves when every input is moved by one eps, which is the error that a
 *   backward-stable computation may make; `terms` is the length of the longest sum, whose rounding errors grow like its
 *   square root. The 4 allows a few roundings a term.
 */
export type Tolerance =
  | { readonly kind: 'exact' }
  | { readonly kind: 'eps'; readonly eps: (index: number, want: number) => number }
  | { readonly kind: 'terms'; readonly terms: number }

export const exact: Tolerance = { kind: 'exact' }

/** A number of roundings of the value itself. */
export const roundings = (count: number): Tolerance => ({ kind: 'eps', eps: (_, want) => count * Math.abs(want) })

export const terms = (count: number): Tolerance => ({ kind: 'terms', terms: count })

/** Spacing at 1 of the backend's float type. */
export function epsilonOf(backend: Backend): number {
  return backend.float === 'f32' ? 2 ** -23 : 2 ** -52
}

/** What operands of products may be rounded to. */
export type Operands = 'f16' | 'bf16'

/** Largest relative error of rounding an operand: numbers of f16 have 11 bits, those of bf16 8. */
export function operandRounding(operands: Operands | undefined): number {
  return operands === undefined ? 0 : operands === 'f16' ? 2 ** -11 : 2 ** -8
}

export interface Measured {
  /** For the error's text: `out`, `gradient of x`. */
  readonly what: string
  readonly shape: Shape
  readonly got: TensorData
  readonly want: ArrayLike<number>
  /** How far `want` moves with the inputs; for `terms`. */
  readonly movement?: number
  /** What operands of products are rounded to, unless the tolerance is `exact`. */
  readonly operands?: Operands | undefined
  /** What that adds to the tolerance. */
  readonly rounding?: number
}

/**
 * Compares values.
 *
 * Where the float64 value lies beyond the range of f32, infinity is expected; below the smallest normal f32, 0 will do.
 *
 * @returns the largest error over its tolerance
 * @throws Error for the first element beyond it
 */
export function checkValues(backend: Backend, measured: Measured, tolerance: Tolerance, factor: number): number {
  const { what, shape, got, want } = measured
  if (got.length !== want.length) {
    throw new Error(`${what} has ${got.length} values, expected ${want.length} (shape ${formatShape(shape)})`)
  }
  const bound = boundOf(backend, measured, tolerance)
  let worst = 0
  let worstIndex = -1
  for (let i = 0; i < want.length; i++) {
    const expected = backend.float === 'f32' ? withinFloat32(want[i]) : want[i]
    const allowed = factor * bound(i)
    const error = Math.abs(got[i] - expected)
    const ratio = sameNumber(got[i], expected) ? 0 : error <= allowed ? error / allowed : Infinity
    if (ratio > worst) {
      worst = ratio
      worstIndex = i
    }
    if (ratio === Infinity) break
  }
  if (worst <= 1) return worst
  throw new Error(failure(measured, worstIndex, factor * bound(worstIndex)))
}

function boundOf(
  backend: Backend,
  { want, movement = 0, operands, rounding = 0 }: Measured,
  tolerance: Tolerance,
): (index: number) => number {
  const eps = epsilonOf(backend)
  // Two smallest normal numbers: engines may flush what lies below one to zero.
  const floor = rounding + (backend.float === 'f32' ? 2 ** -125 : 2 ** -1021)
  const operand = rounding > 0 ? operandRounding(operands) : 0
  if (tolerance.kind === 'exact') return () => 0
  if (tolerance.kind === 'eps') return (index) => floor + (eps + operand) * tolerance.eps(index, want[index])
  const all = floor + (4 + Math.sqrt(tolerance.terms)) * (movement + eps * largest(want))
  return () => all
}

/** Largest finite magnitude. */
export function largest(values: ArrayLike<number>): number {
  let result = 0
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) result = Math.max(result, Math.abs(values[i]))
  return result
}

/** Largest distance between two lists of numbers. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let result = 0
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i])
    if (Number.isFinite(difference)) result = Math.max(result, difference)
  }
  return result
}

function withinFloat32(value: number): number {
  const rounded = Math.fround(value)
  return Number.isFinite(rounded) ? value : rounded
}

function sameNumber(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}

function failure({ what, shape, got, want }: Measured, index: number, allowed: number): string {
  const position = stridesOf(shape).map((stride, axis) => Math.floor(index / stride) % shape[axis])
  return (
    `${what} ${formatShape(shape)} is wrong at ${formatShape(position)}: got ${got[index]}, expected ${want[index]}, ` +
    `error ${Math.abs(got[index] - want[index]).toPrecision(3)}, tolerance ${allowed.toPrecision(3)}`
  )
}
