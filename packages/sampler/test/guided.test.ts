import { concat, full, mul, tensor, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { guided, type LabelledModel, type Timesteps } from '../src/index.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../../diffusion/test/tensors.js'

const NULL = 9
const timesteps = Int32Array.of(7, 3)

/** Label times xt, then half of that as variance channels. */
const model: LabelledModel = (xt, _, labels) => {
  const factor = tensor(Float64Array.from(labels), [labels.length, 1, 1, 1])
  return concat([mul(xt, factor), mul(mul(xt, factor), full([], 0.5))], 1)
}

test('leans from the null label to the class, on three channels by default', async () => {
  const xt = float([1, 1, 1, 1, 2, 2, 2, 2], [2, 4, 1, 1])
  const predict = guided(model, { labels: [1, 3], nullLabel: NULL, scale: 4 })
  // 9 + 4 (1 - 9) = -23; 2 (9 + 4 (3 - 9)) = -30; the rest is conditional
  await expectValues(predict(xt, timesteps), [-23, -23, -23, 1, 0.5, 0.5, 0.5, 0.5, -30, -30, -30, 6, 3, 3, 3, 3])
})

test('leans away from a negative class of each sample in place of the null label', async () => {
  const xt = float([1, 1], [2, 1, 1, 1])
  const predict = guided(model, { labels: [1, 3], nullLabel: NULL, negativeLabels: [2, 5], scale: 4 })
  // 2 + 4 (1 - 2) = -2; 5 + 4 (3 - 5) = -3
  await expectValues(predict(xt, timesteps), [-2, 0.5, -3, 1.5])
  expect(() => guided(model, { labels: [1, 3], nullLabel: NULL, negativeLabels: [2], scale: 4 })).toThrow(
    'guided: there must be one negative label for each label (got 1 for 2)',
  )
  expect(() => guided(model, { labels: [1], nullLabel: NULL, negativeLabels: [-2], scale: 4 })).toThrow(
    'guided: labels must be non-negative integers (got -2)',
  )
})

test('guides as many channels as asked for, never the variance', async () => {
  const xt = float([1, 1, 1, 1], [1, 4, 1, 1])
  const run = (channels: number | 'all') =>
    guided(model, { labels: [1], nullLabel: NULL, scale: 4, channels })(xt, Int32Array.of(0))
  const variance = [0.5, 0.5, 0.5, 0.5]
  await expectValues(run('all'), [-23, -23, -23, -23, ...variance])
  await expectValues(run(4), [-23, -23, -23, -23, ...variance])
  await expectValues(run(1), [-23, 1, 1, 1, ...variance])
})

test('leaves the variance alone where there are fewer than three channels', async () => {
  const predict = guided(model, { labels: [1], nullLabel: NULL, scale: 4 })
  await expectValues(predict(float([1, 1], [1, 2, 1, 1]), Int32Array.of(0)), [-23, -23, 0.5, 0.5])
})

test('guides a model without variance channels', async () => {
  const plain: LabelledModel = (xt, _, labels) => mul(xt, tensor(Float64Array.from(labels), [labels.length, 1, 1, 1]))
  const predict = guided(plain, { labels: [1], nullLabel: NULL, scale: 0 })
  await expectValues(predict(float([1, 2, 3], [1, 3, 1, 1]), Int32Array.of(0)), [9, 18, 27])
})

test('runs the model once on both halves, conditional first, or once plainly for scale 1', async () => {
  const calls: { batch: number; timesteps: Timesteps; labels: Int32Array }[] = []
  const watched: LabelledModel = (xt, timesteps, labels) => {
    calls.push({ batch: xt.shape[0], timesteps, labels })
    return model(xt, timesteps, labels)
  }
  const xt = draws([2, 4, 2, 2], 'xt')
  guided(watched, { labels: [1, 3], nullLabel: NULL, scale: 1.5 })(xt, timesteps)
  const plain = guided(watched, { labels: [1, 3], nullLabel: NULL, scale: 1 })(xt, timesteps)
  expect(calls).toEqual([
    { batch: 4, timesteps: Int32Array.of(7, 3, 7, 3), labels: Int32Array.of(1, 3, NULL, NULL) },
    { batch: 2, timesteps, labels: Int32Array.of(1, 3) },
  ])
  await expectValues(plain, await numbers(model(xt, timesteps, Int32Array.of(1, 3))))
})

test('keeps fractional timesteps', () => {
  const seen: Timesteps[] = []
  const watched = (xt: Tensor, timesteps: Timesteps) => {
    seen.push(timesteps)
    return xt
  }
  guided(watched, { labels: [1], nullLabel: NULL, scale: 2 })(float([1]), Float32Array.of(0.5))
  expect(seen).toEqual([Float32Array.of(0.5, 0.5)])
})

test('leaves nothing behind but its result', async () => {
  const xt = draws([2, 4, 2, 2], 'xt')
  for (const scale of [0, 4]) {
    const predict = guided(model, { labels: [1, 3], nullLabel: NULL, scale })
    expect(await buffersLeft(() => predict(xt, timesteps).dispose())).toBe(0)
  }
})

test('refuses what it cannot guide', () => {
  const options = { labels: [1, 3], nullLabel: NULL, scale: 4 }
  expect(() => guided(model, { ...options, scale: NaN })).toThrow(
    new RangeError('guided: scale must be a finite number (got NaN)'),
  )
  expect(() => guided(model, { ...options, labels: [1, -1] })).toThrow(
    new RangeError('guided: labels must be non-negative integers (got -1)'),
  )
  expect(() => guided(model, { ...options, nullLabel: 0.5 })).toThrow(/non-negative integers \(got 0\.5\)/)
  expect(() => guided(model, { ...options, channels: 0 })).toThrow(
    new RangeError('guided: channels must be a positive integer (got 0)'),
  )
  const predict = guided(model, options)
  expect(() => predict(draws([3, 4, 2, 2], 'xt'), Int32Array.of(0, 0, 0))).toThrow(
    new RangeError('guided: there must be one label per sample (got 2 for [3, 4, 2, 2])'),
  )
  expect(() => predict(draws([2, 4, 2, 2], 'xt'), Int32Array.of(0))).toThrow(
    new RangeError('guided: there must be one timestep per sample (got 1 for 2)'),
  )
  expect(() => guided(model, { ...options, channels: 4 })(draws([2, 3, 2, 2], 'xt'), timesteps)).toThrow(
    new RangeError('guided: channels must not exceed those of xt (got 4 for [2, 3, 2, 2])'),
  )
})
