import { mul, randomNormal, randomStream, reference, sum, tensor, useBackend, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import {
  sinusoidalFeatures,
  timestepEmbedding,
  timestepMlp,
  type TimestepMlpWeights,
  timestepTableEmbedding,
} from '../src/timestep-embedding.js'

const backend = await useBackend(reference())

test('puts cosines before sines', async () => {
  const features = sinusoidalFeatures([0, 2.5], { width: 4, maxPeriod: 100 })
  expect(features.shape).toEqual([2, 4])
  const want = [1, 1, 0, 0, Math.cos(2.5), Math.cos(0.25), Math.sin(2.5), Math.sin(0.25)]
  expect([...(await features.data())]).toEqual(want.map(Math.fround))
})

test('is 256 wide by default', () => {
  expect(sinusoidalFeatures(Int32Array.of(1, 2, 3)).shape).toEqual([3, 256])
})

test('applies Linear, SiLU, Linear', async () => {
  const weights = {
    weight0: tensor([2], [1, 1]),
    bias0: tensor([1]),
    weight2: tensor([10], [1, 1]),
    bias2: tensor([5]),
  }
  const [embedded] = await timestepMlp(tensor([3], [1, 1]), weights).data()
  expect(embedded).toBeCloseTo((10 * 7) / (1 + Math.exp(-7)) + 5, 12)
})

test('reads as many features as the weights have inputs, and frees them', async () => {
  const weights = randomWeights(6, 3)
  const before = backend.memory().buffers
  const embedded = timestepEmbedding([10, 999], weights)
  expect(backend.memory().buffers).toBe(before + 1)
  expect(embedded.shape).toEqual([2, 3])
  const apart = timestepMlp(sinusoidalFeatures([10, 999], { width: 6 }), weights)
  expect(await embedded.data()).toEqual(await apart.data())
})

test('has the gradient of central differences', async () => {
  const weights = randomWeights(6, 3)
  const upstream = randomNormal([2, 3], randomStream(1, 'upstream'))
  const loss = (weights: TimestepMlpWeights) => sum(mul(timestepEmbedding([10, 0.5], weights), upstream))
  const { gradients } = valueAndGrad({ ...weights }, () => ({ loss: loss(weights) }))
  const step = 1e-5 // float64: error of the quotient near step^2
  for (const name of ['weight0', 'bias0', 'weight2', 'bias2'] as const) {
    const { shape } = weights[name]
    const values = await weights[name].data()
    const got = await gradients[name].data()
    for (const i of [0, values.length - 1]) {
      const [high, low] = await Promise.all(
        [step, -step].map(async (delta) => {
          const moved = tensor(
            Float64Array.from(values, (value, j) => (j === i ? value + delta : value)),
            shape,
          )
          return (await loss({ ...weights, [name]: moved }).data())[0]
        }),
      )
      expect(got[i]).toBeCloseTo((high - low) / (2 * step), 7)
    }
  }
})

test('looks timesteps up in a table', async () => {
  const rows = timestepTableEmbedding([1, 1, 0], tensor([1, 2, 3, 4], [2, 2]))
  expect([...(await rows.data())]).toEqual([3, 4, 3, 4, 1, 2])
})

test('rejects timesteps that have no embedding', () => {
  const table = tensor([1, 2, 3, 4], [2, 2])
  expect(() => timestepTableEmbedding([0.5], table)).toThrow(
    new RangeError('timestepTableEmbedding: timesteps must be integers in 0..1 (timesteps[0] is 0.5)'),
  )
  expect(() => timestepTableEmbedding([0, 2], table)).toThrow('timesteps[1] is 2')
  expect(() => timestepTableEmbedding([0], tensor([1]))).toThrow('table must be [T, D] (got [1])')
  expect(() => sinusoidalFeatures([NaN])).toThrow('timesteps must be finite')
})

const draw = (name: string, ...shape: number[]) => randomNormal(shape, randomStream(1, name))

function randomWeights(width: number, hiddenSize: number): TimestepMlpWeights {
  return {
    weight0: draw('weight0', hiddenSize, width),
    bias0: draw('bias0', hiddenSize),
    weight2: draw('weight2', hiddenSize, hiddenSize),
    bias2: draw('bias2', hiddenSize),
  }
}
