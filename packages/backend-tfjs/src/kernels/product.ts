import * as tf from '@tensorflow/tfjs-core'
import { canFuse, fusedMatMul } from '../tensorflow/fused-matmul.js'
import { add } from './arithmetic.js'
import { rightOperand } from './packing.js'
import { transposed } from './permute.js'

// The wasm engine multiplies fast (30 to 40 GFLOP/s on one core, against 1.5 to 3.3) only where neither side is transposed
// and there is one matrix a side. Before it does, it packs the right side, which takes about twice as long an element as a
// transposition; so a small right side is worth the transposition of the result.
const PACK = 3
const TRANSPOSE = 1.5

/** Multiply-adds from which a matrix of a stack is better cut out and multiplied on its own. */
const LARGE = 20_000

/** Product of stacks of matrices, `[G, M, K]` times `[G, K, N]`, either transposed. */
export function product(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean): tf.Tensor {
  const [G, , width] = a.shape
  const [M, K] = transposeA ? [width, a.shape[1]!] : [a.shape[1]!, width]
  const N = b.shape[transposeB ? 1 : 2]!
  if (readsTransposed()) return tf.matMul(a, b, transposeA, transposeB)
  if (G > 1 && (M * K * N < LARGE || tf.getBackend() !== 'wasm')) return tf.matMul(a, b, transposeA, transposeB)
  const left = matrices(transposeA ? tf.transpose(a, [0, 2, 1]) : a)
  const right = matrices(transposeB ? tf.transpose(b, [0, 2, 1]) : b)
  const products = left.map((matrix, i) => multiply(matrix, right[i]))
  return G === 1 ? tf.reshape(products[0], [1, M, N]) : tf.stack(products)
}

/** Plain product of two matrices, `[M, K]` times `[K, N]`, with an optional bias `[N]` added to every row. */
export function multiply(a: tf.Tensor, b: tf.Tensor, bias: tf.Tensor | null = null): tf.Tensor {
  const right = rightOperand(b)
  return bias === null ? tf.matMul(a, right) : tf.fused.matMul({ a, b: right, bias })
}

/** a b^T: `[M, K]` times the transposed `[N, K]`, with an optional bias `[N]` added to every row. */
export function multiplyByTransposed(a: tf.Tensor, b: tf.Tensor, bias: tf.Tensor | null): tf.Tensor {
  if (readsTransposed()) {
    if (bias !== null && tf.getBackend() === 'tensorflow' && canFuse()) return fusedMatMul(a, b, bias)
    const out = tf.matMul(a, b, false, true)
    return bias === null ? out : add(out, bias)
  }
  const [sizeA, sizeB] = [a.size, b.size]
  const sizeOut = a.shape[0] * b.shape[0]
  if ((PACK + TRANSPOSE) * sizeB <= (PACK + TRANSPOSE) * sizeA + 2 * TRANSPOSE * sizeOut) {
    return multiply(a, transposed(b), bias)
  }
  const out = transposed(multiply(b, transposed(a)))
  return bias === null ? out : add(out, bias)
}

/** a^T b, where a is `[K, M]` and b `[K, N]`, and the sums of the columns of a, `[M]`; either only if wanted. */
export function multiplyTransposed(
  a: tf.Tensor,
  b: tf.Tensor,
  wanted: { readonly product: boolean; readonly sums: boolean },
): { readonly product?: tf.Tensor; readonly sums?: tf.Tensor } {
  const [sizeA, sizeB] = [a.size, b.size]
  const sizeOut = a.shape[1]! * b.shape[1]!
  if (!wanted.product) return wanted.sums ? { sums: tf.sum(a, 0) } : {}
  if (readsTransposed()) return { product: tf.matMul(a, b, true), ...(wanted.sums && { sums: tf.sum(a, 0) }) }
  if (TRANSPOSE * sizeA + PACK * sizeB <= TRANSPOSE * (sizeB + sizeOut) + PACK * sizeA) {
    const left = transposed(a)
    return { product: multiply(left, b), ...(wanted.sums && { sums: tf.sum(left, 1) }) }
  }
  // Once `a` is packed, a product with a row of ones is the cheapest sum.
  const product = transposed(multiply(transposed(b), a))
  const sums = wanted.sums && tf.reshape(multiply(tf.ones([1, a.shape[0]]), a), [a.shape[1]!])
  return { product, ...(sums && { sums }) }
}

/** Whether the engine multiplies transposed matrices as they lie. */
function readsTransposed(): boolean {
  const engine = tf.getBackend()
  return engine === 'tensorflow' || engine === 'webgpu'
}

/** The matrices of a stack `[G, M, N]`. Not by tf.unstack, which copies all of `x` for each of them. */
function matrices(x: tf.Tensor): tf.Tensor[] {
  const [G, M, N] = x.shape as [number, number, number]
  if (G === 1) return [tf.reshape(x, [M, N])]
  const values = x.dataSync()
  return Array.from({ length: G }, (_, g) => tf.tensor2d(values.subarray(g * M * N, (g + 1) * M * N), [M, N]))
}
