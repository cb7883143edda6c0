import type { RequiredKernels, View } from '../backend.js'
import { values } from './values.js'

type Matrix = Pick<RequiredKernels, 'matmul' | 'softmax' | 'softmaxBackward'>

export const matrixKernels: Matrix = {
  matmul(a, b, transposeA, transposeB, out) {
    const [x, y, to] = [values(a), values(b), values(out)]
    const [G, M, N] = out.shape
    const K = a.shape[transposeA ? 1 : 2]
    // Steps from one row and one column of op(A) and op(B) to the next.
    const [aRow, aColumn] = transposeA ? [1, M] : [K, 1]
    const [bRow, bColumn] = transposeB ? [1, K] : [N, 1]
    for (let g = 0; g < G; g++) {
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          let sum = 0
          for (let k = 0; k < K; k++) {
            sum += x[g * M * K + m * aRow + k * aColumn] * y[g * K * N + k * bRow + n * bColumn]
          }
          to[(g * M + m) * N + n] = sum
        }
      }
    }
  },
  softmax(x, out) {
    const [from, to] = [values(x), values(out)]
    forEachRow(x, (start, end) => {
      let max = -Infinity
      for (let i = start; i < end; i++) max = Math.max(max, from[i])
      let sum = 0
      for (let i = start; i < end; i++) sum += to[i] = Math.exp(from[i] - max)
      for (let i = start; i < end; i++) to[i] /= sum
    })
  },
  softmaxBackward(y, dy, dx) {
    const [probability, gradient, to] = [values(y), values(dy), values(dx)]
    forEachRow(y, (start, end) => {
      let dot = 0
      for (let i = start; i < end; i++) dot += probability[i] * gradient[i]
      for (let i = start; i < end; i++) to[i] = probability[i] * (gradient[i] - dot)
    })
  },
}

function forEachRow(x: View, visit: (start: number, end: number) => void): void {
  const width = x.shape.at(-1)!
  const size = values(x).length
  for (let start = 0; start < size; start += width) visit(start, start + width)
}
