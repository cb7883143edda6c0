import type { RequiredKernels } from '../backend.js'
import { stridesOf } from '../shape.js'
import { values } from './values.js'

type Indexing = Pick<RequiredKernels, 'permute' | 'slice' | 'concat' | 'gather' | 'scatterAdd'>

export const indexingKernels: Indexing = {
  permute(x, axes, out) {
    const [from, to] = [values(x), values(out)]
    const strides = stridesOf(x.shape)
    forEachIndex(out.shape, (index, i) => {
      to[i] = from[index.reduce((sum, position, axis) => sum + position * strides[axes[axis]], 0)]
    })
  },
  slice(x, starts, out) {
    const [from, to] = [values(x), values(out)]
    const strides = stridesOf(x.shape)
    forEachIndex(out.shape, (index, i) => {
      to[i] = from[index.reduce((sum, position, axis) => sum + (position + starts[axis]) * strides[axis], 0)]
    })
  },
  concat(xs, axis, out) {
    const to = values(out)
    const strides = stridesOf(out.shape)
    let start = 0
    for (const x of xs) {
      const from = values(x)
      forEachIndex(x.shape, (index, i) => {
        to[index.reduce((sum, position, at) => sum + position * strides[at], start * strides[axis])] = from[i]
      })
      start += x.shape[axis]
    }
  },
  gather(table, indices, out) {
    const [from, rows, to] = [values(table), values(indices), values(out)]
    const D = table.shape[1]
    for (let i = 0; i < rows.length; i++) for (let d = 0; d < D; d++) to[i * D + d] = from[rows[i] * D + d]
  },
  scatterAdd(indices, updates, out) {
    const [rows, from, to] = [values(indices), values(updates), values(out)]
    const D = out.shape[1]
    to.fill(0)
    for (let i = 0; i < rows.length; i++) for (let d = 0; d < D; d++) to[rows[i] * D + d] += from[i * D + d]
  },
}

/** Calls back for every index of a shape in row-major order, with its position in that order. */
function forEachIndex(shape: readonly number[], visit: (index: readonly number[], position: number) => void): void {
  const index = shape.map(() => 0)
  const size = shape.reduce((product, extent) => product * extent, 1)
  for (let position = 0; position < size; position++) {
    visit(index, position)
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0
  }
}
