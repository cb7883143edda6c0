/**
 * The x with A x = b, by elimination with the largest pivot.
 *
 * @param rows of A, square
 */
export function solveLinear(rows: readonly (readonly number[])[], b: readonly number[]): number[] {
  const n = b.length
  const a = rows.map((row, i) => [...row, b[i]])
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let row = column + 1; row < n; row++) {
      if (Math.abs(a[row][column]) > Math.abs(a[pivot][column])) pivot = row
    }
    ;[a[column], a[pivot]] = [a[pivot], a[column]]
    for (let row = column + 1; row < n; row++) {
      const factor = a[row][column] / a[column][column]
      for (let k = column; k <= n; k++) a[row][k] -= factor * a[column][k]
    }
  }
  const x = new Array<number>(n).fill(0)
  for (let row = n - 1; row >= 0; row--) {
    const known = x.reduce((total, each, k) => (k > row ? total + a[row][k] * each : total), 0)
    x[row] = (a[row][n] - known) / a[row][row]
  }
  return x
}
