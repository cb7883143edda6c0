import {
  layerNorm,
  layerNormModulate,
  linear,
  mul,
  randomNormal,
  randomStream,
  reference,
  sum,
  tensor,
  useBackend,
  valueAndGrad,
} from '@dit/tensor'
import { expect, test } from 'vitest'
import { blockModulation, finalModulation, modulate } from '../src/modulation.js'

const backend = await useBackend(reference())
const draw = (name: string, ...shape: number[]) => randomNormal(shape, randomStream(1, name))

test('adds 1 to scales and applies each sample its own', async () => {
  const x = tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2])
  const shift = tensor([10, 20, 30, 40], [2, 2])
  const scale = tensor([0, 1, -1, 2], [2, 2])
  const before = backend.memory().buffers
  const out = modulate(x, shift, scale)
  expect(backend.memory().buffers).toBe(before + 1)
  expect([...(await out.data())]).toEqual([11, 24, 13, 28, 30, 58, 30, 64])
})

test('after a layer norm is layerNormModulate', async () => {
  const [x, shift, scale] = [draw('x', 2, 3, 4), draw('shift', 2, 4), draw('scale', 2, 4)]
  const [apart, fused] = [modulate(layerNorm(x, 1e-6), shift, scale), layerNormModulate(x, shift, scale, 1e-6)]
  const [a, b] = await Promise.all([apart.data(), fused.data()])
  a.forEach((value, i) => expect(value).toBeCloseTo(b[i], 12))
})

test('has the gradients x, 1 and 1 + scale', async () => {
  const inputs = { x: tensor([3, 5], [1, 2, 1]), shift: tensor([7], [1, 1]), scale: tensor([0.5], [1, 1]) }
  const weights = tensor([1, 10], [1, 2, 1])
  const { gradients } = valueAndGrad(inputs, ({ x, shift, scale }) => ({
    loss: sum(mul(modulate(x, shift, scale), weights)),
  }))
  expect([...(await gradients.x.data())]).toEqual([1.5, 15])
  expect([...(await gradients.shift.data())]).toEqual([11])
  expect([...(await gradients.scale.data())]).toEqual([53])
})

test('cuts a block vector into shift, scale, gate for attention, then for the MLP', async () => {
  // D = 1: the weight is zero, so the bias is the vector
  const { shiftMsa, scaleMsa, gateMsa, shiftMlp, scaleMlp, gateMlp } = blockModulation(
    tensor([1, 1], [2, 1]),
    tensor(new Float64Array(6), [6, 1]),
    tensor([1, 2, 3, 4, 5, 6]),
  )
  const parts = [shiftMsa, scaleMsa, gateMsa, shiftMlp, scaleMlp, gateMlp]
  expect(await Promise.all(parts.map(async (part) => [...(await part.data())]))).toEqual(
    [1, 2, 3, 4, 5, 6].map((value) => [value, value]),
  )
})

test('is a linear layer on SiLU(c)', async () => {
  const [siluC, weight, bias] = [draw('c', 3, 4), draw('weight', 8, 4), draw('bias', 8)]
  const before = backend.memory().buffers
  const { shift, scale } = finalModulation(siluC, weight, bias)
  expect(backend.memory().buffers).toBe(before + 2)
  const whole = await linear(siluC, weight, bias).data()
  const [shifts, scales] = await Promise.all([shift.data(), scale.data()])
  for (let b = 0; b < 3; b++) {
    expect([...shifts.subarray(b * 4, b * 4 + 4)]).toEqual([...whole.subarray(b * 8, b * 8 + 4)])
    expect([...scales.subarray(b * 4, b * 4 + 4)]).toEqual([...whole.subarray(b * 8 + 4, b * 8 + 8)])
  }
})

test('rejects shapes that do not fit', () => {
  const x = draw('x', 2, 3, 4)
  expect(() => modulate(x, draw('s', 2, 4), draw('s', 1, 4))).toThrow(
    new RangeError('modulate: x must be [B, N, D], shift and scale [B, D] (got [2, 3, 4], [2, 4], [1, 4])'),
  )
  expect(() => blockModulation(draw('c', 2, 4), draw('w', 8, 4), draw('b', 8))).toThrow(
    'blockModulation: siluC must be [B, D] and weight [6 * D, D] (got [2, 4] and [8, 4])',
  )
  expect(() => finalModulation(draw('c', 2, 4), draw('w', 24, 4), draw('b', 24))).toThrow(
    'finalModulation: siluC must be [B, D] and weight [2 * D, D] (got [2, 4] and [24, 4])',
  )
})
