/** A Householder reflection 1 - beta v v^T that takes x to alpha e, where e is the first unit vector. */
export interface Reflection {
  readonly alpha: number
  readonly beta: number
}

/** Puts v of the reflection of x into v, on entries from .. to - 1; beta is 0 where x is already so. x and v may be the same array. */
export function reflection(x: Float64Array, v: Float64Array, from: number, to: number): Reflection {
  let largest = 0
  for (let i = from + 1; i < to; i++) largest = Math.max(largest, Math.abs(x[i]))
  const first = x[from]
  if (largest === 0) {
    v.fill(0, from, to)
    return { alpha: first, beta: 0 }
  }
  largest = Math.max(largest, Math.abs(first))
  let square = 0
  for (let i = from; i < to; i++) {
    v[i] = x[i] / largest
    square += v[i] * v[i]
  }
  const alpha = first > 0 ? -Math.sqrt(square) : Math.sqrt(square)
  v[from] -= alpha
  return { alpha: alpha * largest, beta: 1 / (alpha * (alpha - first / largest)) }
}
