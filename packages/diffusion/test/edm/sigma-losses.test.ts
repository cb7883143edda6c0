import { edmLossWeight } from '@dit/schedules'
import { affine, dispose, mean, mul, type Tensor, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import { sigmaLosses } from '../../src/index.js'
import { buffersLeft, draws, expectValues, float, numbers } from '../tensors.js'

const [x0, noise] = [float([1, -1], [2, 1, 1, 1]), float([0.5, 2], [2, 1, 1, 1])]
const batch = { x0, noise, sigmas: [2, 3] }

test('weighs the squared error of x0 by its sigma', async () => {
  // x = [2, 5]; D(x) = x, errors 1 and 6.
  await expectValues(
    sigmaLosses(
      (x) => affine(x, 1),
      batch,
      (sigma) => 1 / sigma ** 2,
    ),
    [1 / 4, 36 / 9],
  )
  expect(edmLossWeight(1, 1)).toBe(2)
})

test('tells the denoiser each sigma, and is 0 where it is right', async () => {
  const right = (_: Tensor, sigmas: ArrayLike<number>) => {
    expect(sigmas).toEqual([2, 3])
    return x0
  }
  expect(await numbers(sigmaLosses(right, batch, edmLossWeight))).toEqual([0, 0])
})

test('its gradient is that of central differences', async () => {
  const loss = (scale: Tensor) => mean(sigmaLosses((x) => mul(x, scale), batch, edmLossWeight))
  const scale = float([0.7], [1])
  const found = valueAndGrad({ scale }, () => ({ loss: loss(scale) })).gradients.scale
  const [above] = await numbers(loss(float([0.7001], [1])))
  const [below] = await numbers(loss(float([0.6999], [1])))
  // The loss is a parabola in the scale, so only rounding over 2e-4 is left.
  expect((await numbers(found))[0]).toBeCloseTo((above - below) / 2e-4, 8)
})

test('leaves no buffers behind but the losses', async () => {
  const big = { x0: draws([2, 1, 2, 2], 'a'), noise: draws([2, 1, 2, 2], 'b'), sigmas: [1, 2] }
  expect(await buffersLeft(() => dispose(sigmaLosses((x) => affine(x, 2), big, edmLossWeight)))).toBe(0)
})

test('names what does not fit', () => {
  const identity = (x: Tensor) => x
  expect(() => sigmaLosses(identity, { ...batch, sigmas: [1] }, edmLossWeight)).toThrow(
    'sigmaLosses: there must be one sigma per sample (got 1 for x0 [2, 1, 1, 1])',
  )
  expect(() => sigmaLosses(identity, { ...batch, noise: float([1]) }, edmLossWeight)).toThrow(
    'sigmaLosses: noise must have the shape of x0 (got [1, 1, 1, 1] and [2, 1, 1, 1])',
  )
})
