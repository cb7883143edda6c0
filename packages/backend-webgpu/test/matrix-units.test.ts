import {
  type Backend,
  dispose,
  linear,
  mul,
  randomNormal,
  randomStream,
  reference,
  scope,
  sum,
  valueAndGrad,
} from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, expect } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { describeWebGpu, webgpu, type WebGpuOptions } from '../src/index.js'
import { MATRIX_FEATURE } from '../src/matrix-units.js'
import { testAdapter } from './drivers.js'
import { firstLosses } from './training.js'

// llvmpipe of Mesa 26 has matrix units; `npm run test:matrix-units` runs this file on it.
const { options, why } = await testAdapter(MATRIX_FEATURE)
const test = testNeeding('matrix-units', options !== null, why)

async function open(more: WebGpuOptions): Promise<Backend> {
  // An adapter gives one device.
  return webgpu({ gpu: options!.gpu, adapter: (await options!.gpu.requestAdapter())!, ...more })
}

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await open({ precision: 'f16', matrixUnits: true })
})
afterAll(async () => {
  await backend?.dispose()
})

test('the units are those of halves, and are described', () => {
  expect(describeWebGpu(backend).matrixUnits).toMatchObject({ component: 'f16' })
})

// The other cases have kernels that know no halves, or are of attention, and go through no units.
for (const { name, run } of conformanceCases({ operands: 'f16' })) {
  if (!/^(linear|block|views):/.test(name)) continue
  test(name, async () => {
    expect(await run(backend)).toBeLessThanOrEqual(1)
  })
}

// 32 rows and columns of a workgroup with 4 matrices of each subgroup, and 64 with 16; 128 take this driver minutes to compile.
for (const [tiles, ...extents] of [
  ['small', 1283, 1277, 19],
  ['small', 448, 444, 68],
  ['large', 448, 444, 68],
] as const) {
  const [M, N, K] = extents
  test(`a layer of ${K} to ${N} on ${M} rows and its gradients are those without matrix units, with ${tiles} tiles`, async () => {
    const results: Gradients[] = []
    for (const matrixUnits of [true, false]) {
      const own = await open({ precision: 'f16', matrixUnits, tiles })
      results.push(await layer(own, extents))
      await own.dispose()
    }
    const [got, want] = results
    for (const [name, expected] of Object.entries(want)) {
      // The same operands of 11 bits, and sums in f32 of up to 1,283 terms in another order, whose errors grow as the root of that.
      expect(relativeDistance(got[name], expected), name).toBeLessThan(Math.sqrt(1283) * 2 ** -24)
    }
  })
}

test('training in f16 on matrix units follows training in float64, with the same bits in every run', async () => {
  const [got, again, want] = [
    await firstLosses(backend, 5),
    await firstLosses(backend, 5),
    await firstLosses(reference(), 5),
  ]
  expect(again).toEqual(got)
  // Operands of 11 bits, whose errors are independent.
  for (const [i, value] of got.entries()) expect(Math.abs(value / want[i] - 1)).toBeLessThan(5e-3)
})

type Gradients = Readonly<Record<string, Float32Array>>

/** A layer and its gradients: without activation, whose slope would be rounded to half and magnify the order of sums. */
async function layer(on: Backend, [M, N, K]: readonly number[]): Promise<Gradients> {
  const draw = (name: string, shape: readonly number[]) => randomNormal(shape, randomStream(1, name), { backend: on })
  const dout = draw('dout', [M, N])
  const params = { x: draw('x', [M, K]), weight: draw('weight', [N, K]), bias: draw('bias', [N]) }
  const { aux, gradients } = scope(() =>
    valueAndGrad(params, ({ x, weight, bias }) => {
      const out = linear(x, weight, bias)
      return { loss: sum(mul(out, dout)), out }
    }),
  )
  const results = { out: aux.out, ...gradients }
  const values = await Promise.all(
    Object.entries(results).map(async ([name, x]) => [name, Float32Array.from(await x.data())] as const),
  )
  dispose([dout, params, aux, gradients])
  return Object.fromEntries(values)
}

function relativeDistance(a: Float32Array, b: Float32Array): number {
  let [distance, norm] = [0, 0]
  for (const [i, value] of b.entries()) {
    distance += (a[i] - value) ** 2
    norm += value ** 2
  }
  return Math.sqrt(distance / norm)
}
