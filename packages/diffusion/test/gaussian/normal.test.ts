import { expect, test } from 'vitest'
import { normalKl } from '../../src/index.js'
import { buffersLeft, expectValues, float, numbers } from '../tensors.js'

const standard = (count: number) => ({
  mean: float(new Float64Array(count)),
  logVariance: float(new Float64Array(count)),
})

test('is half the squared distance between normals of variance 1', async () => {
  const a = { mean: float([0, 1, -2]), logVariance: float([0, 0, 0]) }
  await expectValues(normalKl(a, standard(3)), [0, 0.5, 2])
})

test('grows with the wrong variance as worked out by hand', async () => {
  const wide = { mean: float([0]), logVariance: float([Math.log(4)]) }
  await expectValues(normalKl(wide, standard(1)), [(4 - 1 - Math.log(4)) / 2])
  await expectValues(normalKl(standard(1), wide), [(1 / 4 - 1 + Math.log(4)) / 2])
})

test('does not change when both are shifted and stretched alike', async () => {
  const [plain, stretched] = [
    [1, 0],
    [3, 7],
  ].map(([scale, shift]) => {
    const normal = (mean: number, logVariance: number) => ({
      mean: float([scale * mean + shift]),
      logVariance: float([logVariance + 2 * Math.log(scale)]),
    })
    return normalKl(normal(0.2, -0.5), normal(-1, 0.3))
  })
  await expectValues(stretched, await numbers(plain))
})

test('leaves nothing behind but its result', async () => {
  const [a, b] = [standard(3), standard(3)]
  expect(await buffersLeft(() => normalKl(a, b).dispose())).toBe(0)
})
