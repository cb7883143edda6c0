import { type RequiredKernels, sizeOf, type UnaryOp, type View } from '@dit/tensor'
import { type KernelSource, reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { precise } from '../wgsl/functions.js'
import { aliasedInputs } from './aliases.js'

type Elementwise = Pick<RequiredKernels, 'fill' | 'copy' | 'unary' | 'unaryBackward' | 'affine' | 'accumulate'>

const unary: Record<UnaryOp, string> = {
  exp: 'exact_exp(a)',
  log: 'exact_log(a)',
  sqrt: 'sqrt(a)',
  square: 'a * a',
  abs: 'abs(a)',
  tanh: 'tanh_of(a)',
  sigmoid: 'sigmoid_of(a)',
  silu: 'silu_of(a)',
  gelu: 'gelu_of(a)',
  sin: 'exact_sin(a)',
  cos: 'exact_cos(a)',
  relu: 'relu_of(a)',
  relu6: 'relu6_of(a)',
}

/** Derivative of `a`. */
const slopes: Record<UnaryOp, string> = {
  exp: 'exact_exp(a)',
  log: '1.0 / a',
  sqrt: '0.5 / sqrt(a)',
  square: '2.0 * a',
  abs: 'sign(a)',
  tanh: '(1.0 - tanh_of(a) * tanh_of(a))',
  sigmoid: 'sigmoid_of(a) * (1.0 - sigmoid_of(a))',
  silu: 'silu_slope(a)',
  gelu: 'gelu_slope(a)',
  sin: 'exact_cos(a)',
  cos: '-exact_sin(a)',
  relu: 'select(V(0.0), V(1.0), a > V(0.0))',
  relu6: 'select(V(0.0), V(1.0), (a > V(0.0)) & (a < V(6.0)))',
}

const WORKGROUP = 256
const GRID_INDEX = `  let i = (wg.x + wg.y * groups.x) * ${WORKGROUP}u + lane;`

/** One formula over elements `a`, `b`, ... of the inputs, four at a time where the size allows it. */
export function mapSource(
  label: string,
  formula: string,
  {
    isVector,
    aliases,
    params = [],
    useFunctions = false,
  }: {
    readonly isVector: boolean
    readonly aliases: readonly boolean[]
    readonly params?: readonly string[]
    readonly useFunctions?: boolean
  },
): KernelSource {
  const type = isVector ? 'vec4<f32>' : 'f32'
  const names = aliases.map((_, i) => 'abcdefgh'[i])
  return {
    label,
    storage: [...names.filter((_, i) => !aliases[i]).map((name) => reads(`in_${name}`, type)), writes('out', type)],
    params: [['n', 'u32'], ...params.map((name) => [name, 'f32'] as const)],
    workgroupSize: [WORKGROUP, 1, 1],
    declarations: useFunctions ? precise(type) : `alias V = ${type};`,
    body: [
      GRID_INDEX,
      '  if (i >= p.n) { return; }',
      ...names.map((name, i) => `  let ${name} = ${aliases[i] ? 'out' : `in_${name}`}[i];`),
      `  out[i] = ${formula};`,
    ].join('\n'),
  }
}

/** Runs `mapSource` over views of one size. */
export function runMap(
  runtime: Runtime,
  name: string,
  formula: string,
  inputs: readonly View[],
  out: View,
  { params = {}, useFunctions = false }: { params?: Readonly<Record<string, number>>; useFunctions?: boolean } = {},
): void {
  const size = sizeOf(out.shape)
  const isVector = size % 4 === 0
  const aliases = aliasedInputs(inputs, out)
  const key = `${name}/${isVector ? 4 : 1}/${aliases.map(Number).join('')}`
  const kernel = runtime.kernel(key, () =>
    mapSource(key, formula, { isVector, aliases, params: Object.keys(params), useFunctions }),
  )
  const count = isVector ? size / 4 : size
  const bound = inputs.filter((_, i) => !aliases[i])
  runtime.run(kernel, bound, [out], [count, ...Object.values(params)], spread(Math.ceil(count / WORKGROUP)))
}

/** x += scale * y, now. */
export function accumulateNow(runtime: Runtime, x: View, y: View, scale: number): void {
  runMap(runtime, 'accumulate', 'a + p.scale * b', [x, y], x, { params: { scale } })
}

export function elementwiseKernels(runtime: Runtime): Elementwise {
  return {
    fill(out, value) {
      const size = sizeOf(out.shape)
      const kernel = runtime.kernel('fill', () => ({
        label: 'fill',
        storage: [writes('out', 'u32')],
        params: [
          ['n', 'u32'],
          ['bits', 'u32'],
        ],
        workgroupSize: [WORKGROUP, 1, 1],
        body: `${GRID_INDEX}\n  if (i < p.n) { out[i] = p.bits; }`,
      }))
      const bits = out.dtype === 'i32' ? value >>> 0 : floatBits(value)
      runtime.run(kernel, [], [out], [size, bits], spread(Math.ceil(size / WORKGROUP)))
    },
    copy(x, out) {
      const size = sizeOf(out.shape)
      if (x.dtype === out.dtype) {
        runtime.copyBytes(x, out, size * 4)
        return
      }
      const [from, to] = [x.dtype, out.dtype]
      const kernel = runtime.kernel(`convert/${from}/${to}`, () => ({
        label: `copy from ${from} to ${to}`,
        storage: [reads('x', from), writes('out', to)],
        params: [['n', 'u32']],
        workgroupSize: [WORKGROUP, 1, 1],
        body: `${GRID_INDEX}\n  if (i < p.n) { out[i] = ${to}(x[i]); }`,
      }))
      runtime.run(kernel, [x], [out], [size], spread(Math.ceil(size / WORKGROUP)))
    },
    unary(op, x, out) {
      runMap(runtime, op, unary[op], [x], out, { useFunctions: true })
    },
    unaryBackward(op, x, dy, dx) {
      runMap(runtime, `${op} backward`, `b * (${slopes[op]})`, [x, dy], dx, { useFunctions: true })
    },
    affine(x, scale, offset, out) {
      runMap(runtime, 'affine', 'p.scale * a + V(p.offset)', [x], out, { params: { scale, offset } })
    },
    accumulate(x, y, scale) {
      if (scale === 1 && runtime.deferred.accumulate(x, y)) return
      accumulateNow(runtime, x, y, scale)
    },
  }
}

const scratch = new DataView(new ArrayBuffer(4))

function floatBits(value: number): number {
  scratch.setFloat32(0, value)
  return scratch.getUint32(0)
}
