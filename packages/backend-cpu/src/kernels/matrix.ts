import { type RequiredKernels, sizeOf, stridesOf, type View } from '@dit/tensor'
import type { Engine } from '../engine.js'
import { addressOf } from '../memory.js'

type Matrix = Pick<RequiredKernels, 'matmul' | 'sum' | 'softmax' | 'softmaxBackward'>

export function matrixKernels({ call, name }: Engine): Matrix {
  return {
    matmul(a, b, transposeA, transposeB, out) {
      const [count, m, n] = out.shape
      const k = a.shape[transposeA ? 1 : 2]
      const transposes = [Number(transposeA), Number(transposeB)]
      call('matmul', addressOf(a), addressOf(b), addressOf(out), count, m, n, k, ...transposes)
    },
    sum(x, axes, out) {
      if (x.dtype === 'i32') throw new TypeError(`${name}: sum takes f32 (got i32); cast() converts`)
      if (sizeOf(out.shape) === 0) return
      const { kept, reduced } = runsOf(x, axes)
      if (reduced.length === 0) {
        call('copy', addressOf(x), addressOf(out), sizeOf(x.shape))
        return
      }
      const shapes = [kept, reduced].flatMap((runs) => [...runs.map((run) => run[0]), ...runs.map((run) => run[1])])
      call('sum', addressOf(x), addressOf(out), kept.length, reduced.length, ...shapes)
    },
    softmax(x, out) {
      if (sizeOf(x.shape) === 0) return
      const width = x.shape.at(-1)!
      call('softmax', addressOf(x), addressOf(out), sizeOf(x.shape) / width, width)
    },
    softmaxBackward(y, dy, dx) {
      if (sizeOf(y.shape) === 0) return
      const width = y.shape.at(-1)!
      call('softmax_backward', addressOf(y), addressOf(dy), addressOf(dx), sizeOf(y.shape) / width, width)
    },
  }
}

/** Extent, and elements from one index to the next. */
type Run = [extent: number, step: number]

/** The axes that stay and those that are summed over, with neighbours of one kind merged. */
function runsOf(x: View, axes: readonly number[]): { kept: Run[]; reduced: Run[] } {
  const strides = stridesOf(x.shape)
  const kept: Run[] = []
  const reduced: Run[] = []
  let previous: Run[] | null = null
  for (let axis = 0; axis < x.shape.length; axis++) {
    const extent = x.shape[axis]
    if (extent === 1) continue
    const runs: Run[] = axes.includes(axis) ? reduced : kept
    const last = runs.at(-1)
    if (previous === runs && last !== undefined) {
      last[0] *= extent
      last[1] = strides[axis]
    } else runs.push([extent, strides[axis]])
    previous = runs
  }
  if (kept.length === 0) kept.push([1, 0])
  return { kept, reduced }
}
