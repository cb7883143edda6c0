import { isTracked, record } from '../autograd/tape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { checkFloats } from './check-floats.js'
import { misfit } from './misfit.js'

/**
 * Rows of a table: out[i] = table[indices[i]]. Indices must lie in 0..R-1. That is checked where the host reads the engine's memory
 * at once; elsewhere, as on a GPU, the caller makes sure of it.
 *
 * @param table   `[R, D]`
 * @param indices `[I]`, i32
 * @returns `[I, D]`
 * @throws RangeError for a wrong shape, or an index that is found out of range; TypeError for indices that are not i32
 */
export function gather(table: Tensor, indices: Tensor): Tensor {
  const backend = commonBackend('gather', [table, indices])
  if (table.shape.length !== 2 || indices.shape.length !== 1) {
    throw misfit('gather: table must be [R, D] and indices [I]', [table, indices])
  }
  checkFloats('gather', [table])
  if (indices.dtype !== 'i32') throw new TypeError(`gather: indices must be i32 (got ${indices.dtype})`)
  checkIndices(indices, table.shape[0])
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

function checkIndices(indices: Tensor, rows: number): void {
  if (indices.backend.read === undefined) return
  const values = new Int32Array(indices.size)
  indices.backend.read(indices, values)
  const wrong = values.find((index) => index < 0 || index >= rows)
  if (wrong !== undefined) throw new RangeError(`gather: indices must be in 0..${rows - 1} (got ${wrong})`)
}
