import { type RequiredKernels, stridesOf, mergedWalk } from '@dit/tensor'
import type { Engine } from '../engine.js'
import { addressOf } from '../memory.js'
import { walkArguments } from '../walk-arguments.js'

type Layout = Pick<RequiredKernels, 'permute' | 'slice' | 'concat' | 'gather' | 'scatterAdd'>

const ELEMENT_BYTES = 4

export function layoutKernels({ call }: Engine): Layout {
  function copyStrided(
    caller: string,
    shape: readonly number[],
    from: { address: number; strides: readonly number[] },
    to: { address: number; strides: readonly number[] },
  ) {
    if (shape.includes(0)) return
    const walk = mergedWalk(caller, { shape, strides: [from.strides, to.strides] })
    call('strided_copy', from.address, to.address, ...walkArguments(walk))
  }

  return {
    permute(x, axes, out) {
      const strides = stridesOf(x.shape)
      const from = { address: addressOf(x), strides: axes.map((axis) => strides[axis]) }
      copyStrided('permute', out.shape, from, { address: addressOf(out), strides: stridesOf(out.shape) })
    },
    slice(x, starts, out) {
      const strides = stridesOf(x.shape)
      const skipped = starts.reduce((sum, start, axis) => sum + start * strides[axis], 0)
      const from = { address: addressOf(x) + skipped * ELEMENT_BYTES, strides }
      copyStrided('slice', out.shape, from, { address: addressOf(out), strides: stridesOf(out.shape) })
    },
    concat(xs, axis, out) {
      const strides = stridesOf(out.shape)
      let address = addressOf(out)
      for (const x of xs) {
        copyStrided('concat', x.shape, { address: addressOf(x), strides: stridesOf(x.shape) }, { address, strides })
        address += x.shape[axis] * strides[axis] * ELEMENT_BYTES
      }
    },
    gather(table, indices, out) {
      call('gather', addressOf(table), addressOf(indices), addressOf(out), indices.shape[0], table.shape[1])
    },
    scatterAdd(indices, updates, out) {
      const [rows, width] = out.shape
      call('scatter_add', addressOf(updates), addressOf(indices), addressOf(out), indices.shape[0], width, rows)
    },
  }
}
