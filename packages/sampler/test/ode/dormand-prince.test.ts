import { denoiser } from '@dit/diffusion'
import { flowPath, pathThrough } from '@dit/schedules'
import { affine, tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { dormandPrince, lastStep } from '../../src/index.js'
import { dense, MIDDLE, nextStepSize, DORMAND_PRINCE } from '../../src/ode/dormand-prince-5.js'
import { backend, normalData, stretch } from './normal-data.js'

const xT = tensor([1, -2], [1, 1, 1, 2], { backend })
const exact = stretch(0.25, 1, 0)
const errorAt = async (options: object, numSteps = 1) => {
  const end = await lastStep(dormandPrince(flowPath({ numSteps }), normalData(0.25), xT, options))
  return Math.abs((await end.data())[0] - exact)
}

describe('the formulas', () => {
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)

  test('are consistent: rows sum to their nodes, weights to 1, errors to 0, the middle to 1/2', () => {
    const { nodes, stages, weights, errorWeights } = DORMAND_PRINCE
    stages.forEach((row, i) => expect(sum(row)).toBeCloseTo(nodes[i], 13))
    expect(sum(weights)).toBeCloseTo(1, 14)
    expect(sum(errorWeights)).toBeCloseTo(0, 14)
    expect(sum(MIDDLE)).toBeCloseTo(0.5, 9)
  })

  test('the interpolant has the ends, the middle and their slopes', () => {
    expect(dense(0)).toEqual({ y0: 1, middle: 0, y1: -0, f0: 0, f1: 0 })
    expect(dense(1)).toEqual({ y0: 0, middle: 0, y1: 1, f0: 0, f1: 0 })
    expect(dense(0.5)).toEqual({ y0: 0, middle: 1, y1: 0, f0: 0, f1: 0 })
    const h = 1e-6
    expect(dense(h).f0 / h).toBeCloseTo(1, 5)
    expect(dense(1 - h).f1 / -h).toBeCloseTo(1, 5)
  })

  test('the step grows tenfold at most, never shrinks when accepted, and to a fifth at least', () => {
    expect(nextStepSize(2, 0)).toBe(20)
    expect(nextStepSize(2, 1e-9)).toBe(20)
    expect(nextStepSize(2, 0.99)).toBe(2)
    expect(nextStepSize(2, 32)).toBeCloseTo(0.9, 14)
    expect(nextStepSize(2, 1e9)).toBeCloseTo(0.4, 14)
  })
})

test('comes nearer to the solution as the tolerance falls', async () => {
  const errors = [await errorAt({}), await errorAt({ rtol: 1e-6 }), await errorAt({ rtol: 1e-9, atol: 1e-10 })]
  // The tolerance is that of a step; there are about ten.
  expect(errors[0]).toBeLessThan(3e-3)
  expect(errors[1]).toBeLessThan(3e-6)
  expect(errors[2]).toBeLessThan(3e-9)
})

test('the levels of the path do not change the steps taken: the end is the same', async () => {
  expect(await errorAt({}, 7)).toBe(await errorAt({}, 1))
})

test('gives the states at the levels between', async () => {
  const path = flowPath({ numSteps: 4 })
  for await (const { index, xt } of dormandPrince(path, normalData(0.25), xT, { rtol: 1e-8, atol: 1e-9 })) {
    expect((await xt.data())[0]).toBeCloseTo(stretch(0.25, 1, path.steps[index].to.t!), 6)
  }
})

test('runs back to the noise', async () => {
  const end = await lastStep(
    dormandPrince(flowPath({ numSteps: 1, from: 0, to: 1 }), normalData(0.25), xT, { rtol: 1e-8 }),
  )
  expect((await end.data())[1]).toBeCloseTo(-4, 6)
})

test('stops at the end of the path, unless it may look beyond', async () => {
  const run = async (mayPassEnd: boolean) => {
    const asked: number[] = []
    const predict = denoiser(
      (xt, timesteps) => {
        asked.push(timesteps[0])
        return affine(xt, 1)
      },
      { prediction: 'velocity' },
    )
    const end = await lastStep(dormandPrince(flowPath({ numSteps: 1 }), predict, xT, { mayPassEnd }))
    expect((await end.data())[0]).toBeCloseTo(Math.exp(-1), 3)
    return Math.min(...asked)
  }
  expect(await run(true)).toBeLessThan(0)
  expect(await run(false)).toBe(0)
})

test('leaves no tensor behind, at the end, when left and when it fails', async () => {
  const before = backend.memory().buffers
  const run = (options = {}) => dormandPrince(flowPath({ numSteps: 3 }), normalData(0.01), xT, options)
  ;(await lastStep(run())).dispose()
  for await (const _ of run()) break
  await expect(lastStep(run({ maxSteps: 2, rtol: 1e-6 }))).rejects.toThrow('dormandPrince: 2 steps were not enough')
  const broken = denoiser((xt, [t]) => affine(xt, t < 0.5 ? NaN : 1), { prediction: 'velocity' })
  await expect(lastStep(dormandPrince(flowPath({ numSteps: 2 }), broken, xT))).rejects.toThrow(
    'dormandPrince: the state is no longer finite after t = ',
  )
  expect(backend.memory().buffers).toBe(before)
})

test('refuses tolerances that cannot be, and paths that do not suit', async () => {
  const run = (options: object) => dormandPrince(flowPath({ numSteps: 1 }), normalData(1), xT, options)
  expect(() => run({ rtol: 0, atol: 0 })).toThrow(
    'dormandPrince: rtol and atol must be 0 or more, and not both 0 (got 0 and 0)',
  )
  expect(() => run({ maxSteps: 0 })).toThrow('dormandPrince: maxSteps must be a positive integer (got 0)')
  const path = flowPath({ numSteps: 2 })
  const { steps } = path
  expect(() => dormandPrince({ steps, startScale: 1 }, normalData(1), xT)).toThrow('needs `at`, as flowPath has')
  const still = pathThrough([steps[0].from, steps[0].from], { at: (t) => path.at!(t) })
  await expect(lastStep(dormandPrince(still, normalData(1), xT))).rejects.toThrow(
    'dormandPrince: the times of the path must rise or fall throughout',
  )
})
