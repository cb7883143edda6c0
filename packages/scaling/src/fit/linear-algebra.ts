/** A small dense square matrix by rows. */
export type Matrix = readonly (readonly number[])[]

/** Solves `A x = b` for a symmetric positive definite `A` by Cholesky; null where `A` is not positive definite. */
export function solvePositive(matrix: Matrix, right: readonly number[]): number[] | null {
  const size = right.length
  const lower = matrix.map(() => new Array<number>(size).fill(0))
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i][j]
      for (let k = 0; k < j; k++) sum -= lower[i][k] * lower[j][k]
      if (i !== j) lower[i][j] = sum / lower[j][j]
      // Below this, a pivot is only what rounding has left.
      else if (sum > 1e-15 * Math.abs(matrix[i][i]) && Number.isFinite(sum)) lower[i][i] = Math.sqrt(sum)
      else return null
    }
  }
  const x = [...right]
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i] -= lower[i][k] * x[k]
    x[i] /= lower[i][i]
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i] -= lower[k][i] * x[k]
    x[i] /= lower[i][i]
  }
  return x
}

/** Eigenvalues of a symmetric matrix, ascending, by Jacobi's rotations. */
export function symmetricEigenvalues(matrix: Matrix): number[] {
  const a = matrix.map((row) => [...row])
  const size = a.length
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) off += a[p][q] ** 2
    if (off === 0) break
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, p, q)
  }
  return a.map((row, i) => row[i]).toSorted((x, y) => x - y)
}

/** Turns the plane of two axes so that `a[p][q]` becomes 0. */
function rotate(a: number[][], p: number, q: number): void {
  if (a[p][q] === 0) return
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const c = 1 / Math.hypot(t, 1)
  const s = t * c
  for (let k = 0; k < a.length; k++) {
    const [kp, kq] = [a[k][p], a[k][q]]
    a[k][p] = c * kp - s * kq
    a[k][q] = s * kp + c * kq
  }
  for (let k = 0; k < a.length; k++) {
    const [pk, qk] = [a[p][k], a[q][k]]
    a[p][k] = c * pk - s * qk
    a[q][k] = s * pk + c * qk
  }
  a[p][q] = a[q][p] = 0
}

/** Inverse of a symmetric positive definite matrix; null where it is not positive definite. */
export function inversePositive(matrix: Matrix): number[][] | null {
  const columns = matrix.map((_, i) =>
    solvePositive(
      matrix,
      matrix.map((_row, j) => (i === j ? 1 : 0)),
    ),
  )
  return columns.some((column) => column === null) ? null : (columns as number[][])
}
