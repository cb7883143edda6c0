import { normals, randomStream } from '@dit/random'
import { type Backend, dispose, linear, reshape, tensor, type Tensor } from '@dit/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpu } from '../src/index.js'
import { bf16Engines, engines } from './engines.js'

const [ROWS, INPUTS, OUTPUTS] = [70, 801, 67]

const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

/** The same weights as bit patterns and as the numbers that they are. */
function weights(dtype: 'f16' | 'bf16'): { bits: Uint16Array; values: Float32Array } {
  const drawn = normals(randomStream(0, 'halves', dtype), OUTPUTS * INPUTS)
  const bits = new Uint16Array(drawn.length)
  const values = new Float32Array(drawn.length)
  for (const [i, x] of drawn.entries()) {
    float[0] = x
    // Digits that the type does not have are cut off; numbers below its range are zeros.
    if (dtype === 'bf16') word[0] &= 0xffff_0000
    else word[0] = Math.abs(x) < 2 ** -14 ? 0 : word[0] & 0xffff_e000
    values[i] = float[0]
    const sign = (word[0] >>> 16) & 0x8000
    const magnitude = word[0] & 0x7fff_ffff
    if (dtype === 'bf16') bits[i] = word[0] >>> 16
    else bits[i] = magnitude === 0 ? 0 : sign | ((magnitude - (112 << 23)) >>> 13)
  }
  return { bits, values }
}

const native = [...engines, ...bf16Engines].filter(({ options }) => options.engine === 'native')
describe.skipIf(native.length === 0).each(native)('$label', ({ options }) => {
  let backend: Backend
  let x: Tensor
  beforeAll(async () => {
    backend = await cpu(options)
    x = tensor(normals(randomStream(0, 'halves', 'x'), ROWS * INPUTS), [ROWS, INPUTS], { backend })
  })
  afterAll(() => backend.dispose())

  for (const dtype of options.precision === 'bf16' ? (['bf16'] as const) : (['f16', 'bf16'] as const)) {
    test(`a weight in ${dtype} gives the bits of the same weight in f32, few rows or many`, async () => {
      const { bits, values } = weights(dtype)
      const [half, whole] = [
        tensor(bits, [OUTPUTS, INPUTS], { backend, dtype }),
        tensor(values, [OUTPUTS, INPUTS], { backend }),
      ]
      for (const rows of [1, 5, ROWS]) {
        const some = tensor((await x.data()).slice(0, rows * INPUTS), [rows, INPUTS], { backend })
        const [got, want] = [half, whole].map((weight) => linear(some, weight, null, { activation: 'gelu' }))
        expect(await got.data()).toEqual(await want.data())
        dispose([some, got, want])
      }
      dispose([half, whole])
    })
  }

  test('a kernel of a convolution is read as a matrix, and one with other rows refused', async () => {
    const { bits, values } = weights('bf16')
    const kernel = tensor(bits, [OUTPUTS, INPUTS / 9, 3, 3], { backend, dtype: 'bf16' })
    expect(await kernel.data()).toEqual(bits)
    const matrix = tensor(values, [OUTPUTS, INPUTS], { backend })
    const [got, want] = [linear(x, reshape(kernel, [OUTPUTS, INPUTS]), null), linear(x, matrix, null)]
    expect(await got.data()).toEqual(await want.data())
    const turned = reshape(kernel, [INPUTS, OUTPUTS])
    const narrow = tensor(new Float32Array(OUTPUTS), [1, OUTPUTS], { backend })
    expect(() => linear(narrow, turned, null)).toThrow(
      new RangeError(
        `cpu: a weight in bf16 that was made with ${OUTPUTS} rows cannot be read with ${INPUTS}; its first axis must stay`,
      ),
    )
    dispose([kernel, matrix, got, want, narrow])
  })
})
