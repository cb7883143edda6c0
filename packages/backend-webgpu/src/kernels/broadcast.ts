import { type BinaryOp, type RequiredKernels, sizeOf, type View, mergedWalk, stretchedStrides } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { aliasedInputs } from './aliases.js'
import { runMap } from './elementwise.js'
import { walkCode, walkParams, walkValues } from './walks.js'

const operators: Record<BinaryOp, string> = {
  add: 'a + b',
  sub: 'a - b',
  mul: 'a * b',
  div: 'a / b',
  // Drivers differ in what their max and min make of NaN.
  maximum: 'select(a + b, max(a, b), (a == a) & (b == b))',
  minimum: 'select(a + b, min(a, b), (a == a) & (b == b))',
  greater: 'select(V(0.0), V(1.0), a > b)',
  less: 'select(V(0.0), V(1.0), a < b)',
  equal: 'select(V(0.0), V(1.0), a == b)',
}

const WORKGROUP = 256

export function broadcastKernels(runtime: Runtime): Pick<RequiredKernels, 'binary' | 'select'> {
  return {
    binary(op, a, b, out) {
      const size = sizeOf(out.shape)
      if (sizeOf(a.shape) === size && sizeOf(b.shape) === size) {
        runMap(runtime, op, operators[op], [a, b], out)
        return
      }
      walk(runtime, op, ['f32', 'f32'], 'f32', operators[op], [a, b], out)
    },
    select(condition, a, b, out) {
      // Bits are moved, not numbers, so that NaN stays as it is.
      const types = [condition.dtype === 'i32' ? 'i32' : 'f32', 'u32', 'u32']
      const formula = condition.dtype === 'i32' ? 'select(c, b, a != 0)' : 'select(c, b, a != 0.0)'
      walk(runtime, 'select', types, 'u32', formula, [condition, a, b], out)
    },
  }
}

function walk(
  runtime: Runtime,
  name: string,
  types: readonly string[],
  outType: string,
  formula: string,
  inputs: readonly View[],
  out: View,
): void {
  const size = sizeOf(out.shape)
  const way = mergedWalk(name, { shape: out.shape, strides: inputs.map((x) => stretchedStrides(x.shape, out.shape)) })
  const aliases = aliasedInputs(inputs, out).map((is, i) => is && types[i] === outType)
  const rank = way.shape.length
  const key = `${name}/walk${rank}/${types[0]}/${aliases.map(Number).join('')}`
  const kernel = runtime.kernel(key, () => ({
    label: key,
    storage: [
      ...types.flatMap((type, i) => (aliases[i] ? [] : [reads(`in_${'abc'[i]}`, type)])),
      writes('out', outType),
    ],
    params: [['n', 'u32'], ...walkParams(rank, inputs.length)],
    workgroupSize: [WORKGROUP, 1, 1],
    declarations: 'alias V = f32;',
    body: [
      `  let i = (wg.x + wg.y * groups.x) * ${WORKGROUP}u + lane;`,
      '  if (i >= p.n) { return; }',
      walkCode(rank, inputs.length),
      ...types.map((_, o) => `  let ${'abc'[o]} = ${aliases[o] ? 'out[i]' : `in_${'abc'[o]}[at${o}]`};`),
      `  out[i] = ${formula};`,
    ].join('\n'),
  }))
  const bound = inputs.filter((_, i) => !aliases[i])
  runtime.run(kernel, bound, [out], [size, ...walkValues(way)], spread(Math.ceil(size / WORKGROUP)))
}
