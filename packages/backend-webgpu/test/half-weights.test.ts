import {
  gatedResidual,
  linear,
  randomNormal,
  randomStream,
  scope,
  type Backend,
  dispose,
  tensor,
  type View,
  zeros,
} from '@dit/tensor'
import { afterAll, beforeAll, describe, expect, test as plain } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { describeWebGpu, webgpu, type WebGpuOptions } from '../src/index.js'
import { testAdapter } from './drivers.js'
import { decoded, expectSameBits, expectToCompile, halfBits } from './half-weights.js'

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

  test('a product has the bits of one with the same weights in f32', () => expectSameBits(backend, [5, 7, 9], ['none']))

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

plain('kernels that read halves compile in packed halves', () =>
  expectToCompile({ precision: 'f16', halves: 'packed' }),
)
