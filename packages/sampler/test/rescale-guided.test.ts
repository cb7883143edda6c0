import { concat, dispose, tensor, type Tensor } from '@dit/tensor'
import { backend } from '../../diffusion/test/tensors.js'
import { expect, test } from 'vitest'
import { guided, rescaleGuided } from '../src/index.js'

const row = (...values: number[]) => tensor(Float64Array.from(values), [1, 1, 1, values.length])

test('gives each sample a share of the contrast of its conditional output', async () => {
  // Deviations 1 and 4 in the first sample, 2 and 2 in the second.
  const cond = concat([row(0, 2), row(5, 9)], 0)
  const strong = concat([row(-4, 4), row(1, 5)], 0)
  expect(await rescaleGuided(strong, cond, 1).data()).toEqual(Float64Array.of(-1, 1, 1, 5))
  expect(await rescaleGuided(strong, cond, 0.5).data()).toEqual(Float64Array.of(-2.5, 2.5, 1, 5))
  expect(await rescaleGuided(strong, cond, 0).data()).toEqual(await strong.data())
})

test('with phi 1 the output has the deviation of the conditional one, around a model too', async () => {
  const cond = concat([row(1, 2), row(3, -1), row(50, 60)], 1)
  const uncond = concat([row(0, 1), row(-3, 2), row(10, 20)], 1)
  const model = () => concat([cond, uncond], 0)
  const predict = guided(model, { labels: [0], nullLabel: 1, scale: 5, channels: 2, rescale: 1 })
  const values = await predict(tensor(new Float64Array(6), [1, 3, 1, 2]), Int32Array.of(1)).data()
  const deviation = (list: readonly number[]) => {
    const mean = list.reduce((a, b) => a + b, 0) / list.length
    return Math.sqrt(list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length)
  }
  expect(deviation(Array.from(values.slice(0, 4)))).toBeCloseTo(deviation([1, 2, 3, -1]), 12)
  expect(Array.from(values.slice(4))).toEqual([50, 60])
})

test('leaves no buffers behind but the output', () => {
  const [a, b]: Tensor[] = [row(0, 2), row(1, 9)]
  const before = backend.memory().buffers
  dispose(rescaleGuided(a, b, 0.7))
  expect(backend.memory().buffers).toBe(before)
})

test('refuses a phi outside 0 to 1', () => {
  expect(() => rescaleGuided(row(1), row(1), 1.5)).toThrow(
    'rescaleGuided: the rescaling phi must be in [0, 1] (got 1.5)',
  )
  expect(() => guided((x) => x, { labels: [0], nullLabel: 1, scale: 2, rescale: -1 })).toThrow(
    'guided: the rescaling phi must be in [0, 1] (got -1)',
  )
})
