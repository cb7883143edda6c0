import { denoiser } from '@dit/diffusion'
import {
  ddim,
  deis,
  dpmMultistep,
  type DpmOptions,
  dpmSinglestep,
  euler,
  heun,
  lastStep,
  lms,
  plms,
  pndm,
  renoise,
  unipc,
} from '@dit/sampler'
import { type NoiseLevel, pathThrough } from '@dit/schedules'
import { affine, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { deviation, equalPath, errorAlong, exploding, normal, pathOf, preserving, straight } from './paths.js'
import { buffersLeft, draws, float, numbers } from '../../diffusion/test/tensors.js'

test('heun, with twice the steps, is four times nearer to the solution', async () => {
  const errors = [await errorAlong(heun, equalPath(10)), await errorAlong(heun, equalPath(20))]
  expect(errors[0] / errors[1]).toBeGreaterThan(3.5)
})

test('every solver finds data that is one point, in any number of steps', async () => {
  const path = (numSteps: number) => {
    const whole = pathOf('preserving', numSteps)
    return { ...whole, steps: pathThrough([...whole.steps.map(({ from }) => from), zero]).steps }
  }
  const zero: NoiseLevel = { alpha: 1, sigma: 0, timestep: 0 }
  const denoise = denoiser((xt) => affine(xt, 0, 0.7), { prediction: 'x0' })
  for (const solver of [ddim, euler, heun, lms, dpmMultistep, dpmSinglestep, deis, unipc, plms, pndm]) {
    for (const numSteps of [4, 9]) {
      const [got] = await numbers(await lastStep(solver(path(numSteps), denoise, float([3]))))
      expect(got, solver.name).toBeCloseTo(0.7, 10)
    }
  }
})

test('euler by hand: alpha x0 + sigma noise of the next level', async () => {
  const path = pathThrough([straight(0.8), straight(0.5)])
  const denoise = () => ({ x0: float([2]), noise: float([4]) })
  expect(await numbers(await lastStep(euler(path, denoise, float([1]))))).toEqual([0.5 * 2 + 0.5 * 4])
})

test('euler by hand, with churn: noise is added, then taken out again', async () => {
  const path = pathThrough([exploding(Math.log(2)), { alpha: 1, sigma: 1, timestep: 0 }])
  const [asked, levels]: [number[], number[]] = [[], []]
  const run = async (networkSees: 'raised' | 'before') => {
    const denoise = (xt: Tensor, level: NoiseLevel, _step?: unknown, seen?: { xt: Tensor }) => {
      void numbers(seen?.xt ?? xt).then(([value]) => asked.push(value))
      levels.push(level.sigma)
      return { x0: affine(xt, 0), noise: xt }
    }
    const options = { churn: 1, noise: () => float([1]), networkSees }
    return (await numbers(await lastStep(euler(path, denoise, float([5]), options))))[0]
  }
  const sigmaHat = 2 * Math.SQRT2
  const xHat = 5 + Math.sqrt(sigmaHat ** 2 - 4)
  expect(await run('raised')).toBeCloseTo(xHat / sigmaHat, 12)
  expect(await run('before')).toBeCloseTo(xHat / sigmaHat, 12)
  expect(levels).toEqual([sigmaHat, sigmaHat].map((each) => expect.closeTo(each, 12)))
  expect(asked).toEqual([xHat, 5].map((each) => expect.closeTo(each, 12)))
})

test('ddim with eta 1 is the ancestral method by hand where alpha is 1, and with eta 0 it is euler', async () => {
  // From sigma 2 to 1: up = sqrt(1 (4 - 1) / 4), down = 1 / 2.
  const path = pathThrough([exploding(Math.log(2)), exploding(0)])
  const denoise = () => ({ x0: float([1]), noise: float([2]) })
  const noise = () => float([10])
  const [got] = await numbers(await lastStep(ddim(path, denoise, float([0]), { eta: 1, noise })))
  expect(got).toBeCloseTo(1 + 0.5 * 2 + Math.sqrt(0.75) * 10, 12)
  expect(await numbers(await lastStep(ddim(path, denoise, float([0]))))).toEqual([3])
})

test('renoise by hand', async () => {
  const path = pathThrough([straight(0.8), straight(0.5)])
  const denoise = () => ({ x0: float([2]), noise: float([4]) })
  expect(await numbers(await lastStep(renoise(path, denoise, float([1]), { noise: () => float([10]) })))).toEqual([6])
})

test('dpmMultistep of order 2 by hand, and of order 1 where the last of few steps is', async () => {
  // sigma / alpha 2, 1, 1/2: h = ln 2 each, r = 1; the estimates of x0 are 1, then 3.
  const ratios = [2, 1, 0.5]
  const path = pathThrough(ratios.map((ratio) => preserving(Math.log(ratio))))
  const denoise = (_: Tensor, { timestep }: NoiseLevel) => ({ x0: float([timestep > 0 ? 1 : 3]), noise: float([0]) })
  const alpha = ratios.map((ratio) => 1 / Math.sqrt(1 + ratio * ratio))
  const first = (alpha[1] / (2 * alpha[0])) * 5 + alpha[1] * 0.5 * 1
  const second = (x0: number) => (alpha[2] / (2 * alpha[1])) * first + alpha[2] * 0.5 * x0
  const run = async (options: DpmOptions) =>
    (await numbers(await lastStep(dpmMultistep(path, denoise, float([5]), options))))[0]
  expect(await run({ lowerOrderFinal: false })).toBeCloseTo(second(3 + 0.5 * (3 - 1)), 12)
  expect(await run({})).toBeCloseTo(second(3), 12)
  expect(await run({ lowerOrderFinal: false, order: 1 })).toBeCloseTo(second(3), 12)
})

test('the SDE solvers keep the variance of normal data', async () => {
  const shape = [1, 1, 40, 40]
  for (const algorithm of ['sde-dpmsolver++', 'sde-dpmsolver'] as const) {
    const path = pathOf('exploding', 30)
    const xT = affine(draws(shape, 'xT'), deviation(path.steps[0].from))
    const x = await numbers(await lastStep(dpmMultistep(path, normal(), xT, { algorithm, seed: 1 })))
    const found = Math.sqrt(x.reduce((total, each) => total + each * each, 0) / x.length)
    // 1,600 values: 1.8 % of deviation; 30 steps: a few percent of bias.
    expect(found / deviation(path.steps.at(-1)!.to)).toBeCloseTo(1, 1)
  }
})

test('nothing leaks: at the end, when left early, when stopped', async () => {
  const xT = float([1])
  const denoise = denoiser((xt) => affine(xt, 0.5), { prediction: 'x0' })
  for (const solver of [ddim, euler, heun, lms, dpmMultistep, dpmSinglestep, deis, unipc, plms, pndm]) {
    const path = pathOf('preserving', 6)
    expect(await buffersLeft(async () => (await lastStep(solver(path, denoise, xT))).dispose()), solver.name).toBe(0)
    expect(
      await buffersLeft(async () => {
        for await (const { index } of solver(path, denoise, xT)) if (index === 3) break
      }),
      solver.name,
    ).toBe(0)
    const stop = new AbortController()
    expect(
      await buffersLeft(async () => {
        await expect(async () => {
          for await (const { index } of solver(path, denoise, xT, { signal: stop.signal })) {
            if (index === 2) stop.abort(new Error('enough'))
          }
        }).rejects.toThrow('enough')
      }),
      solver.name,
    ).toBe(0)
  }
})

test('refuses what it cannot do, at once', () => {
  const denoise = () => ({ x0: float([2]), noise: float([4]) })
  const path = pathThrough([preserving(1), preserving(0), { alpha: 1, sigma: 0, timestep: 0 }])
  const fromNothing = pathThrough([{ alpha: 0, sigma: 1, timestep: 9 }, preserving(0)])
  const run =
    (solver: (...args: never[]) => unknown, options: object, along = path) =>
    () =>
      (solver as (...args: unknown[]) => unknown)(along, denoise, float([1]), options)
  expect(run(euler, { churn: -1 })).toThrow('euler: churn must be a number, 0 or more (got -1)')
  expect(run(euler, { churn: 1, seed: 0 })).toThrow('euler: churn is for paths whose alpha is 1')
  expect(run(heun, {}, fromNothing)).toThrow('heun: alpha must be above 0 along the path')
  expect(run(lms, { order: 0 })).toThrow('lms: order must be a positive integer (got 0)')
  expect(run(deis, { order: 4 })).toThrow('deis: order must be 1, 2 or 3 (got 4)')
  expect(run(dpmMultistep, { algorithm: 'sde' })).toThrow('dpmMultistep: algorithm must be one of dpmsolver, ')
  expect(run(dpmMultistep, { algorithm: 'dpmsolver' })).toThrow('cannot end where there is none')
  expect(run(dpmMultistep, { type: 'euler' })).toThrow('dpmMultistep: type must be midpoint or heun (got euler)')
  expect(run(dpmSinglestep, { order: 3, lowerOrderFinal: false })).toThrow('order 3 must divide the number of steps')
  expect(run(unipc, { variant: 'bh1' })).toThrow('unipc: where the last sigma is 0 the last step is infinitely long')
  expect(run(unipc, { estimates: 'noise' })).toThrow('which only estimates of x0 can take')
  expect(run(unipc, { lowerOrderFinal: false })).toThrow('which only order 1 can take')
  expect(run(pndm, {})).toThrow('pndm: the path must have at least 3 steps, which start the method (got 2)')
  expect(run(euler, {}, { steps: [], startScale: 1 })).toThrow('euler: the path must have at least one step (got none)')
})
