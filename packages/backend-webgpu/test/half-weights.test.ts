import {
  type Activation,
  type Backend,
  type DType,
  dispose,
  gatedResidual,
  linear,
  randomNormal,
  randomStream,
  reference,
  scope,
  type Tensor,
  tensor,
  type View,
  zeros,
} from '@dit/tensor'
import { afterAll, beforeAll, describe, expect, test as plain, vi } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { describeWebGpu, webgpu, type WebGpuOptions } from '../src/index.js'
import { nullBackend, testAdapter } from './drivers.js'

// Software drivers compile kernels slowly.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

const precisions: readonly WebGpuOptions[] = [{ precision: 'f32' }, { precision: 'f16', halves: 'packed' }]

describe.each(precisions)('in $precision', (precision) => {
  let backend: Backend
  beforeAll(async () => {
    // An adapter gives one device.
    if (options !== null) backend = await webgpu({ adapter: (await options.gpu.requestAdapter())!, ...precision })
  })
  afterAll(async () => {
    await backend?.dispose()
  })

  test('a product has the bits of one with the same weights in f32', async () => {
    for (const [M, K, O] of [
      [5, 7, 9],
      [33, 8, 12],
      [70, 132, 67],
    ]) {
      await expectSameBits(backend, [M, K, O], ['none', 'gelu'])
    }
  })

  test('subnormal and infinite halves are what they are on this driver', async () => {
    const bits = Uint16Array.of(1, 0x8001, 0x03ff, 0x0400, 0x7c00, 0xfc00)
    const want = [2 ** -24, -(2 ** -24), 1023 * 2 ** -24, 2 ** -14, Infinity, -Infinity]
    const [one, weight] = [tensor([1], [1], { backend }), tensor(bits, [6, 1], { backend, dtype: 'f16' })]
    const out = linear(one, weight, null)
    expect([...(await out.data())]).toEqual(want)
    dispose([one, weight, out])
  })

  test('a weight may lie within a buffer, wherever a word begins, and fill an odd number of halves', async () => {
    for (const [O, K] of [
      [3, 5],
      [6, 4],
    ]) {
      const bits = halfBits(O * K)
      const x = randomNormal([2, K], randomStream(1, 'x'), { backend })
      const want = linear(x, tensor(await decoded(bits, 'f16'), [O, K], { backend }), null)
      for (const byteOffset of [4, 8, 36, 256, 260]) {
        const buffer = backend.allocate(byteOffset + bits.byteLength)
        const weight: View = { buffer, byteOffset, shape: [O, K], dtype: 'f16' }
        backend.upload(weight, bits)
        const out = zeros([2, O], { backend })
        backend.kernels.linear!(x, weight, null, 'none', out, false)
        expect(await out.data()).toEqual(await want.data())
        expect(await backend.download(weight)).toEqual(bits)
        backend.free(buffer)
        out.dispose()
      }
    }
  })

  test('a projection, its bias and its gate stay one dispatch', async () => {
    const draw = (name: string, shape: readonly number[]) => randomNormal(shape, randomStream(2, name), { backend })
    const [x, h, gate, bias] = [draw('x', [2, 3, 8]), draw('h', [2, 3, 4]), draw('gate', [2, 8]), draw('bias', [8])]
    const weight = tensor(halfBits(32), [8, 4], { backend, dtype: 'f16' })
    const before = describeWebGpu(backend).dispatches
    const out = scope(() => gatedResidual(x, gate, linear(h, weight, bias)))
    await out.data()
    expect(describeWebGpu(backend).dispatches - before).toBe(1)
  })
})

test('a tile of real cards gives the same bits, too', async () => {
  const backend = await webgpu({ adapter: (await options!.gpu.requestAdapter())!, tiles: 'large' })
  await expectSameBits(backend, [448, 20, 444], ['none'])
  await backend.dispose()
})

async function expectSameBits(backend: Backend, [M, K, O]: number[], activations: Activation[]): Promise<void> {
  const x = randomNormal([M, K], randomStream(0, 'x'), { backend })
  const bits = halfBits(O * K)
  const whole = tensor(await decoded(bits, 'f16'), [O, K], { backend })
  const half = tensor(bits, [O, K], { backend, dtype: 'f16' })
  for (const activation of activations) {
    const [want, got] = [whole, half].map((weight) => linear(x, weight, null, { activation }))
    expect(await got.data()).toEqual(await want.data())
    dispose([want, got])
  }
  dispose([x, whole, half])
}

plain.each([
  { precision: 'f32' },
  { precision: 'f16', halves: 'f16' },
  { precision: 'f16', matrixUnits: { M: 16, N: 16, K: 16 } },
  { precision: 'f32', matrixUnits: { M: 8, N: 8, K: 8 } },
  { precision: 'f16', halves: 'packed' },
] as const)('kernels that read halves compile in %o', async (precision) => {
  for (const tiles of ['large', 'small'] as const) {
    const backend = await nullBackend({ ...precision, tiles })
    for (const dtype of ['f16', 'bf16'] as const) {
      for (const [M, K, O] of [
        [3, 5, 7],
        [3, 8, 8],
        [600, 12, 600],
        [1400, 7, 1400],
      ]) {
        const x = zeros([1, M, K], { backend })
        const weight = tensor(new Uint16Array(O * K), [O, K], { backend, dtype })
        const [bias, tokens, gate] = [[O], [1, M, O], [1, O]].map((shape) => zeros(shape, { backend }))
        const outs: Tensor[] = (['none', 'gelu', 'silu'] as const).map((activation) =>
          linear(x, weight, bias, { activation }),
        )
        outs.push(scope(() => gatedResidual(tokens, gate, linear(x, weight, null))))
        for (const out of outs) expect(await out.data()).toHaveLength(M * O)
      }
    }
    await backend.dispose()
  }
})

/** Finite patterns of f16 around 1, of both signs. */
function halfBits(count: number): Uint16Array {
  return Uint16Array.from({ length: count }, (_, i) => ((i * 0x9e37) & 0x83ff) | (i % 3 === 0 ? 0x3800 : 0x3c00))
}

async function decoded(bits: Uint16Array, dtype: DType): Promise<Float32Array> {
  const backend = reference()
  const one = tensor([1], [1], { backend })
  return Float32Array.from(await linear(one, tensor(bits, [bits.length, 1], { backend, dtype }), null).data())
}
