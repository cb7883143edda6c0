/**
 * Eigenvalues of a symmetric matrix, ascending, to about n 2^-53 times the largest.
 *
 * Householder reflections make it tridiagonal; implicit QL steps make that diagonal. Golub & Van Loan 2013, "Matrix
 * Computations", algorithms 8.3.1 and 8.3.3. Only the lower triangle of `matrix` is read.
 *
 * @param matrix  `[n, n]`, row-major; unchanged
 * @throws RangeError unless it holds n * n finite numbers
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  if (matrix.length !== n * n) {
    throw new RangeError(
      `symmetricEigenvalues: the matrix must have ${n * n} numbers, [${n}, ${n}]; it has ${matrix.length}`,
    )
  }
  let largest = 0
  for (let i = 0; i < matrix.length; i++) {
    if (!Number.isFinite(matrix[i]))
      throw new RangeError(`symmetricEigenvalues: entry ${i} must be finite; it is ${matrix[i]}`)
    largest = Math.max(largest, Math.abs(matrix[i]))
  }
  if (largest === 0) return new Float64Array(n)
  // By a power of two, so that no square of an entry overflows or vanishes.
  const scale = 2 ** Math.floor(Math.log2(largest))
  const { diagonal, beside } = tridiagonal(
    matrix.map((value) => value / scale),
    n,
  )
  qlSteps(diagonal, beside)
  return diagonal.toSorted().map((value) => value * scale)
}

/** Diagonal and the numbers beside it (n - 1, then a 0) of an orthogonally similar tridiagonal matrix. `a` is overwritten. */
function tridiagonal(a: Float64Array, n: number): { diagonal: Float64Array; beside: Float64Array } {
  const diagonal = new Float64Array(n)
  const beside = new Float64Array(n)
  const column = new Float64Array(n)
  const product = new Float64Array(n)
  const w = new Float64Array(n)
  let v = new Float64Array(n)
  let nextV = new Float64Array(n)
  // The reflection v, w of step k - 1 is applied to the rows below k in the pass that computes the product of step k.
  for (let k = 0; k < n - 1; k++) {
    // Column k with the previous reflection applied.
    for (let i = k; i < n; i++) column[i] = a[i * n + k] - v[i] * w[k] - w[i] * v[k]
    diagonal[k] = column[k]
    const { alpha, beta } = reflection(column, nextV, k + 1, n)
    beside[k] = alpha
    product.fill(0, k + 1)
    updateAndMultiply(a, n, k + 1, v, w, nextV, product)
    // w = beta A v - (beta^2 / 2) (v^T A v) v, so that (1 - beta v v^T) A (1 - beta v v^T) = A - v w^T - w v^T.
    let dot = 0
    for (let i = k + 1; i < n; i++) dot += nextV[i] * product[i]
    const share = (beta * beta * dot) / 2
    ;[v, nextV] = [nextV, v]
    for (let i = k + 1; i < n; i++) w[i] = beta * product[i] - share * v[i]
  }
  const last = n - 1
  diagonal[last] = a[last * n + last] - 2 * v[last] * w[last]
  return { diagonal, beside }
}

/** v with (1 - beta v v^T) x = alpha e on entries from .. n - 1; beta is 0 where x is already so. */
function reflection(x: Float64Array, v: Float64Array, from: number, n: number): { alpha: number; beta: number } {
  let largest = 0
  for (let i = from + 1; i < n; i++) largest = Math.max(largest, Math.abs(x[i]))
  if (largest === 0) {
    v.fill(0, from)
    return { alpha: x[from], beta: 0 }
  }
  largest = Math.max(largest, Math.abs(x[from]))
  let square = 0
  for (let i = from; i < n; i++) {
    v[i] = x[i] / largest
    square += v[i] * v[i]
  }
  const alpha = x[from] > 0 ? -Math.sqrt(square) : Math.sqrt(square)
  v[from] -= alpha
  return { alpha: alpha * largest, beta: 1 / (alpha * (alpha - x[from] / largest)) }
}

/** a -= v w^T + w v^T, and product += a next, on rows and columns from .. n - 1 of the lower triangle. */
function updateAndMultiply(
  a: Float64Array,
  n: number,
  from: number,
  v: Float64Array,
  w: Float64Array,
  next: Float64Array,
  product: Float64Array,
): void {
  for (let i = from; i < n; i++) {
    const row = i * n
    const [vi, wi, xi] = [v[i], w[i], next[i]]
    let sum = 0
    for (let j = from; j < i; j++) {
      const value = a[row + j] - vi * w[j] - wi * v[j]
      a[row + j] = value
      sum += value * next[j]
      product[j] += value * xi
    }
    const value = a[row + i] - 2 * vi * wi
    a[row + i] = value
    product[i] += sum + value * xi
  }
}

/** Makes a tridiagonal matrix diagonal. */
function qlSteps(diagonal: Float64Array, beside: Float64Array): void {
  const n = diagonal.length
  for (let k = 0; k < n; k++) {
    for (let step = 0; ; step++) {
      let end = k
      while (end < n - 1 && !isNegligible(beside[end], diagonal[end], diagonal[end + 1])) end++
      if (end === k) break
      if (step === 60) throw new Error('symmetricEigenvalues: no convergence after 60 steps; please report this matrix')
      qlStep(diagonal, beside, k, end)
    }
  }
}

function isNegligible(value: number, before: number, after: number): boolean {
  return Math.abs(value) <= Number.EPSILON * (Math.abs(before) + Math.abs(after)) || Math.abs(value) < 2 ** -1000
}

/** One implicit QL step with Wilkinson's shift on rows k .. end. */
function qlStep(d: Float64Array, e: Float64Array, k: number, end: number): void {
  const half = (d[k + 1] - d[k]) / (2 * e[k])
  const root = Math.hypot(half, 1)
  let g = d[end] - d[k] + e[k] / (half + (half < 0 ? -root : root))
  let [sine, cosine, shift] = [1, 1, 0]
  for (let i = end - 1; i >= k; i--) {
    const f = sine * e[i]
    const b = cosine * e[i]
    const r = Math.sqrt(f * f + g * g)
    e[i + 1] = r
    if (r === 0) {
      // The matrix falls apart here: the next step works on what is left.
      d[i + 1] -= shift
      e[end] = 0
      return
    }
    sine = f / r
    cosine = g / r
    g = d[i + 1] - shift
    const t = (d[i] - g) * sine + 2 * cosine * b
    shift = sine * t
    d[i + 1] = g + shift
    g = cosine * t - b
  }
  d[k] -= shift
  e[k] = g
  e[end] = 0
}
