import { denoiser } from '@dit/diffusion'
import { diffusersPlan, diffusersSampler, heun, lastStep } from '@dit/sampler'
import { affine, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { buffersLeft, draws, float, numbers } from '../../../diffusion/test/tensors.js'

const fields = { _class_name: 'FlowMatchHeunDiscreteScheduler' }
const sample = diffusersSampler(fields)
const half = (xt: Tensor) => affine(xt, 0.5)

test('churn by hand: noise is added after the network was asked, and both halves step from there', async () => {
  // Sigmas 1, 0.001, 0: of three calls, each may raise by 0.1. The velocity is half of what the network sees.
  const noise = () => float([2])
  const options = { numSteps: 2, churn: 0.3, churnMin: 0.5, churnNoise: 1.5, noise }
  const [got] = await numbers(await lastStep(sample(half, float([4]), options)))
  const xHat = 4 + 1.5 * Math.sqrt(1.1 ** 2 - 1) * 2
  const d = (0.5 * 4) / 1.1
  const predicted = xHat + (0.001 - 1.1) * d
  const next = xHat + ((0.001 - 1.1) * (d + 0.5 * predicted)) / 2
  expect(got).toBeCloseTo(next - 0.001 * 0.5 * next, 12)
})

test('draws twice a step where there is churn, as the library does, and once in the last', async () => {
  const asked: number[] = []
  const noise = (index: number) => (asked.push(index), float([1]))
  await lastStep(sample(half, float([4]), { numSteps: 3, churn: 1, noise }))
  expect(asked).toEqual([0, 0, 1, 1, 2])
})

test('is heun without churn, and leaves nothing behind', async () => {
  const xT = draws([1, 1, 2, 2], 'xT')
  const { path, reading } = diffusersPlan(fields)({ numSteps: 5 })
  const expected = await numbers(await lastStep(heun(path, denoiser(half, reading), xT)))
  const got = await numbers(await lastStep(sample(half, xT, { numSteps: 5 })))
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(expected[i], 12)
  const churn = { numSteps: 3, churn: 1, seed: 0 }
  expect(await buffersLeft(async () => (await lastStep(sample(half, xT, churn))).dispose())).toBe(0)
})

test('refuses churn that is no number, or without noise', () => {
  const run = (options: object) => () => sample(half, float([1]), { numSteps: 2, ...options })
  expect(run({ churn: -1 })).toThrow('diffusersSampler: churn must be a number, 0 or more (got -1)')
  expect(run({ churn: 1 })).toThrow('diffusersSampler: a seed or a noise function is needed (got neither)')
})
