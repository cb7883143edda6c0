import { concat, full, mul, slice, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { guided, guidedDoubled, type LabelledModel } from '../src/index.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../../diffusion/test/tensors.js'

const NULL = 9

/** Label times xt, then half of that as variance channels. */
const model: LabelledModel = (xt, _, labels) => {
  const factor = tensor(Float64Array.from(labels), [labels.length, 1, 1, 1])
  return concat([mul(xt, factor), mul(mul(xt, factor), full([], 0.5))], 1)
}

test('copies the guided channels to both halves, and leaves each half its others', async () => {
  const xt = float([1, 1, 1, 1, 8, 8, 8, 8], [2, 4, 1, 1])
  const predict = guidedDoubled(model, { labels: [1, NULL], scale: 4 })
  await expectValues(
    predict(xt, Int32Array.of(0, 0)),
    [-23, -23, -23, 1, 0.5, 0.5, 0.5, 0.5, -23, -23, -23, 9, 4.5, 4.5, 4.5, 4.5],
  )
})

test('reaches into the variance where there are fewer than three channels', async () => {
  const predict = guidedDoubled(model, { labels: [1, NULL], scale: 4 })
  const xt = float([1, 1, 1, 1], [2, 2, 1, 1])
  await expectValues(predict(xt, Int32Array.of(0, 0)), [-23, -23, -11.5, 0.5, -23, -23, -11.5, 4.5])
})

test('is the conditional model for scale 1 and the unconditional one for scale 0', async () => {
  const half = draws([1, 3, 2, 2], 'xt')
  const xt = concat([half, half], 0)
  const plain = (label: number) => numbers(slice(model(half, Int32Array.of(0), Int32Array.of(label)), 1, 0, 3))
  for (const [scale, label] of [
    [1, 2],
    [0, NULL],
  ]) {
    const output = guidedDoubled(model, { labels: [2, NULL], scale })(xt, Int32Array.of(0, 0))
    for (const sample of [0, 1]) {
      await expectValues(slice(slice(output, 0, sample, 1), 1, 0, 3), await plain(label))
    }
  }
})

test('has guided as its first half', async () => {
  const xt = draws([2, 4, 2, 2], 'xt')
  const doubled = guidedDoubled(model, { labels: [1, 3, NULL, NULL], scale: 1.5 })
  const single = guided(model, { labels: [1, 3], nullLabel: NULL, scale: 1.5 })
  const first = slice(doubled(concat([xt, draws([2, 4, 2, 2], 'ignored')], 0), Int32Array.of(7, 3, 7, 3)), 0, 0, 2)
  await expectValues(first, await numbers(single(xt, Int32Array.of(7, 3))))
})

test('leaves nothing behind but its result', async () => {
  const xt = draws([2, 4, 2, 2], 'xt')
  const predict = guidedDoubled(model, { labels: [1, NULL], scale: 4 })
  expect(await buffersLeft(() => predict(xt, Int32Array.of(0, 0)).dispose())).toBe(0)
})

test('refuses what it cannot guide', () => {
  expect(() => guidedDoubled(model, { labels: [1, 2, NULL], scale: 4 })).toThrow(
    new RangeError('guidedDoubled: the batch must be even: classes, then null labels (got 3 labels)'),
  )
  expect(() => guidedDoubled(model, { labels: [1, NULL], scale: Infinity })).toThrow(
    new RangeError('guidedDoubled: scale must be a finite number (got Infinity)'),
  )
  expect(() =>
    guidedDoubled(model, { labels: [1, NULL], scale: 4 })(draws([3, 4, 2, 2], 'xt'), Int32Array.of(0, 0, 0)),
  ).toThrow(
    new RangeError('guidedDoubled: there must be one label and one timestep per sample (got 2 and 3 for [3, 4, 2, 2])'),
  )
})
