import { isTracked, record } from '../autograd/tape.js'
import { formatShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { checkFloats } from './check-floats.js'

/**
 * Rows of a table: out[i] = table[indices[i]]. The caller makes sure that the indices lie in 0..R-1; on an engine their
 * values cannot be looked at without waiting.
 *
 * @param table   `[R, D]`
 * @param indices `[I]`, i32
 * @returns `[I, D]`
 */
export function gather(table: Tensor, indices: Tensor): Tensor {
  const backend = commonBackend('gather', [table, indices])
  if (table.shape.length !== 2 || indices.shape.length !== 1) {
    throw new RangeError(
      `gather: table must be [R, D] and indices [I] (got ${formatShape(table.shape)} and ${formatShape(indices.shape)})`,
    )
  }
  checkFloats('gather', [table])
  if (indices.dtype !== 'i32') throw new TypeError(`gather: indices must be i32 (got ${indices.dtype})`)
  const out = empty(backend, [indices.shape[0], table.shape[1]], table.dtype)
  backend.kernels.gather(table, indices, out)
  record({
    name: 'gather',
    inputs: [table],
    outputs: [out],
    saves: isTracked(table) ? [indices] : [],
    backward: ([dy]) => {
      const dtable = empty(backend, table.shape, table.dtype)
      backend.kernels.scatterAdd(indices, dy!, dtable)
      return [dtable]
    },
  })
  return out
}
