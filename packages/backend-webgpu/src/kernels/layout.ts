import { type RequiredKernels, type Shape, sizeOf, stridesOf, type View, mergedWalk } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { plain } from './saved.js'
import { walkCode, walkParams, walkValues } from './walks.js'

type Layout = Pick<RequiredKernels, 'permute' | 'slice' | 'concat'>

const WORKGROUP = 256
const GRID_INDEX = `  let i = (wg.x + wg.y * groups.x) * ${WORKGROUP}u + lane;`

/** Kernels that move values. They move bits: neither NaN nor i32 changes on the way. */
export function layoutKernels(runtime: Runtime): Layout {
  const mostParts = runtime.capabilities.storageBuffers - 1

  function permute(x: View, axes: readonly number[], out: View): void {
    const size = sizeOf(out.shape)
    const strides = stridesOf(x.shape)
    const way = mergedWalk('permute', { shape: out.shape, strides: [axes.map((axis) => strides[axis])] })
    const rank = way.shape.length
    const kernel = runtime.kernel(`permute/${rank}`, () => ({
      label: `permute of rank ${rank}`,
      storage: [reads('x', 'u32'), writes('out', 'u32')],
      params: [['n', 'u32'], ...walkParams(rank, 1)],
      workgroupSize: [WORKGROUP, 1, 1],
      body: [GRID_INDEX, '  if (i >= p.n) { return; }', walkCode(rank, 1), '  out[i] = x[at0];'].join('\n'),
    }))
    runtime.run(kernel, [x], [out], [size, ...walkValues(way)], spread(Math.ceil(size / WORKGROUP)))
  }

  /** A box of `x` to `out`, where both are seen as boxes of the same shape with their own steps and starts. */
  function copyBox(shape: Shape, x: View, from: Place, out: View, to: Place): void {
    const size = sizeOf(shape)
    const way = mergedWalk('copy of a box', { shape, strides: [from.strides, to.strides] })
    const rank = way.shape.length
    const kernel = runtime.kernel(`box/${rank}`, () => ({
      label: `copy of a box of rank ${rank}`,
      storage: [reads('x', 'u32'), writes('out', 'u32')],
      params: [['n', 'u32'], ['start0', 'u32'], ['start1', 'u32'], ...walkParams(rank, 2)],
      workgroupSize: [WORKGROUP, 1, 1],
      body: [
        GRID_INDEX,
        '  if (i >= p.n) { return; }',
        walkCode(rank, 2),
        '  out[p.start1 + at1] = x[p.start0 + at0];',
      ].join('\n'),
    }))
    const params = [size, from.start, to.start, ...walkValues(way)]
    runtime.run(kernel, [x], [out], params, spread(Math.ceil(size / WORKGROUP)))
  }

  /** Rows of `widths` elements from several tensors to rows of their sum, in one dispatch. */
  function joinRows(parts: readonly View[], widths: readonly number[], whole: View): void {
    const total = widths.reduce((sum, width) => sum + width, 0)
    const size = sizeOf(whole.shape)
    const kernel = runtime.kernel(`join/${parts.length}`, () => ({
      label: `concat of ${parts.length}`,
      storage: [...parts.map((_, i) => reads(`part${i}`, 'u32')), writes('whole', 'u32')],
      params: [['n', 'u32'], ['total', 'u32'], ...parts.map((_, i) => [`width${i}`, 'u32'] as const)],
      workgroupSize: [WORKGROUP, 1, 1],
      body: [
        GRID_INDEX,
        '  if (i >= p.n) { return; }',
        '  let row = i / p.total;',
        '  var column = i % p.total;',
        ...parts.map(
          (_, i) =>
            `  if (column < p.width${i}) { whole[i] = part${i}[row * p.width${i} + column]; return; }\n  column -= p.width${i};`,
        ),
      ].join('\n'),
    }))
    runtime.run(kernel, parts, [whole], [size, total, ...widths], spread(Math.ceil(size / WORKGROUP)))
  }

  /** Columns `start`, `start + 1`, ... of the rows of `x`, several times in one dispatch where slices follow each other. */
  function deferColumns(givenX: View, start: number, givenOut: View): void {
    const [x, out] = [givenX, givenOut].map(plain)
    const [total, width] = [x.shape.at(-1)!, out.shape.at(-1)!]
    const key = `columns of ${total} to ${width}`
    const waiting = runtime.deferred.find(key, x)
    if (waiting !== null && waiting.outputs.length < mostParts) {
      waiting.starts.push(start)
      runtime.deferred.extend(waiting, out)
      return
    }
    const starts = [start]
    const outputs = [out]
    runtime.deferred.defer({
      key,
      starts,
      inputs: [x],
      outputs,
      canAccumulate: false,
      canGate: false,
      run(targets) {
        const wanted = outputs.flatMap((_, i) => (targets[i] === null ? [] : [{ out: targets[i].view, at: starts[i] }]))
        const size = sizeOf(out.shape)
        const parts = wanted.map((_, i) => i)
        const kernel = runtime.kernel(`columns/${wanted.length}`, () => ({
          label: `${wanted.length} slices of rows`,
          storage: [reads('x', 'u32'), ...parts.map((i) => writes(`part${i}`, 'u32'))],
          params: [
            ['n', 'u32'],
            ['total', 'u32'],
            ['width', 'u32'],
            ...parts.map((i) => [`start${i}`, 'u32'] as const),
          ],
          workgroupSize: [WORKGROUP, 1, 1],
          body: [
            GRID_INDEX,
            '  if (i >= p.n) { return; }',
            '  let source = (i / p.width) * p.total + i % p.width;',
            ...parts.map((at) => `  part${at}[i] = x[source + p.start${at}];`),
          ].join('\n'),
        }))
        const params = [size, total, width, ...wanted.map(({ at }) => at)]
        const views = wanted.map((each) => each.out)
        runtime.run(kernel, [x], views, params, spread(Math.ceil(size / WORKGROUP)))
      },
    })
  }

  return {
    permute,
    slice(x, starts, out) {
      if (
        x.shape.length > 0 &&
        x.shape.every((extent, axis) => axis === x.shape.length - 1 || extent === out.shape[axis])
      ) {
        deferColumns(x, starts.at(-1)!, out)
        return
      }
      const strides = stridesOf(x.shape)
      const start = starts.reduce((sum, at, axis) => sum + at * strides[axis], 0)
      copyBox(out.shape, x, { start, strides }, out, { start: 0, strides: stridesOf(out.shape) })
    },
    concat(xs, axis, out) {
      const inner = sizeOf(out.shape.slice(axis + 1))
      const widths = xs.map((x) => x.shape[axis] * inner)
      const buffers = new Set(xs.map(({ buffer }) => buffer))
      if (xs.length <= mostParts && !buffers.has(out.buffer)) {
        joinRows(xs, widths, out)
        return
      }
      const strides = stridesOf(out.shape)
      let start = 0
      for (const x of xs) {
        copyBox(x.shape, x, { start: 0, strides: stridesOf(x.shape) }, out, { start, strides })
        start += x.shape[axis] * strides[axis]
      }
    },
  }
}

interface Place {
  readonly start: number
  readonly strides: readonly number[]
}
