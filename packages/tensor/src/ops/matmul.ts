import { isTracked, record } from '../autograd/tape.js'
import { scope } from '../scope.js'
import { formatShape, sameShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { checkFloats } from './check-floats.js'
import { reshape } from './shape.js'

export interface MatmulOptions {
  readonly transposeA?: boolean
  readonly transposeB?: boolean
}

/**
 * Matrix product over the last two axes: `[..., M, K]` times `[..., K, N]`, either of them transposed first if asked. The
 * leading axes are equal, or `b` is a plain matrix that all of them share.
 *
 * @returns `[..., M, N]`
 * @throws RangeError when the inner extents or the leading axes differ
 */
export function matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}): Tensor {
  commonBackend('matmul', [a, b])
  checkFloats('matmul', [a, b])
  if (b.shape.length === 2 && a.shape.length > 2 && !transposeA) {
    return scope(() => {
      const rows = reshape(a, [-1, a.shape.at(-1)!])
      const product = matmul(rows, b, { transposeB })
      return reshape(product, [...a.shape.slice(0, -1), product.shape[1]])
    })
  }
  return batchedMatmul(a, b, transposeA, transposeB)
}

/** `matmul` where `b` has the batch of `a`, and may be a weight in half precision. */
export function batchedMatmul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const backend = commonBackend('matmul', [a, b])
  const batch = a.shape.slice(0, -2)
  const [m, k] = lastTwo(a, transposeA)
  const [inner, n] = lastTwo(b, transposeB)
  if (k !== inner || !sameShape(batch, b.shape.slice(0, -2))) {
    throw new RangeError(
      `matmul: inner extents and leading axes must agree (got ${formatShape(a.shape)}${transposeA ? ' transposed' : ''} and ${formatShape(b.shape)}${transposeB ? ' transposed' : ''})`,
    )
  }
  const out = empty(backend, [...batch, m, n], a.dtype)
  backend.kernels.matmul(stack(a), stack(b), transposeA, transposeB, stack(out))
  const [needsA, needsB] = [isTracked(a), isTracked(b)]
  record({
    name: 'matmul',
    inputs: [a, b],
    outputs: [out],
    saves: [...(needsA ? [b] : []), ...(needsB ? [a] : [])],
    backward: ([dy]) => [
      needsA
        ? transposeA
          ? batchedMatmul(b, dy!, transposeB, true)
          : batchedMatmul(dy!, b, false, !transposeB)
        : null,
      needsB
        ? transposeB
          ? batchedMatmul(dy!, a, true, transposeA)
          : batchedMatmul(a, dy!, !transposeA, false)
        : null,
    ],
  })
  return out
}

function lastTwo(x: Tensor, transpose: boolean): [number, number] {
  if (x.shape.length < 2) throw new RangeError(`matmul: tensors need two axes or more (got ${formatShape(x.shape)})`)
  const [rows, columns] = x.shape.slice(-2)
  return transpose ? [columns, rows] : [rows, columns]
}

/** As the kernel wants it: one batch axis. */
function stack(x: Tensor) {
  const [rows, columns] = x.shape.slice(-2)
  const batch = x.shape.slice(0, -2).reduce((product, extent) => product * extent, 1)
  return { buffer: x.buffer, byteOffset: x.byteOffset, dtype: x.dtype, shape: [batch, rows, columns] }
}
