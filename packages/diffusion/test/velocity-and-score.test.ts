import { flowLevel, type Interpolant, type NoiseLevel } from '@dit/schedules'
import { add, affine, reference, scope, tensor, type Tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { readPrediction, scoreOf, velocityOf } from '../src/index.js'

const backend = reference()
const shape = [1, 1, 1, 2]
const x0 = tensor([1, -2], shape, { backend })
const noise = tensor([0.5, 3], shape, { backend })

const mixed = (a: number, b: number) => add(affine(x0, a), affine(noise, b))
const values = async (x: Tensor) => [...(await x.data())]
const apart = async (got: Tensor, want: Tensor) => {
  const [a, b] = [await values(got), await values(want)]
  return Math.max(...a.map((value, i) => Math.abs(value - b[i])))
}

/** What a perfect network answers. */
const answers = (level: NoiseLevel) => {
  const { sigma, dAlpha, dSigma, velocityScale = 1 } = level
  return {
    velocity: affine(mixed(dAlpha!, dSigma!), velocityScale),
    x0,
    epsilon: noise,
    score: affine(noise, -1 / sigma),
  } as const
}

describe.each(['linear', 'gvp', 'vp'] as const)('on %s', (interpolant: Interpolant) => {
  for (const networkTime of ['towardsNoise', 'towardsData'] as const) {
    const level = flowLevel(0.3, { interpolant, networkTime })
    const xt = mixed(level.alpha, level.sigma)
    for (const prediction of ['velocity', 'x0', 'epsilon', 'score'] as const) {
      test(`velocity and score follow from ${prediction}, time ${networkTime}`, async () => {
        const parts = readPrediction(prediction, answers(level)[prediction], xt, level)
        expect(await apart(velocityOf(parts, xt, level), mixed(level.dAlpha!, level.dSigma!))).toBeLessThan(1e-12)
        expect(await apart(scoreOf(parts, level), affine(noise, -1 / level.sigma))).toBeLessThan(1e-12)
      })
    }
  }
})

test('at the data of vp a velocity is itself and a score gives a finite one', async () => {
  const level = flowLevel(0, { interpolant: 'vp' })
  const output = tensor([3, 4], shape, { backend })
  const velocity = readPrediction('velocity', output, x0, level)
  expect(await apart(velocityOf(velocity, x0, level), output)).toBeLessThan(1e-12)
  expect(await apart(velocity.x0, x0)).toBeLessThan(1e-12)
  const score = readPrediction('score', output, x0, level)
  expect(await apart(velocityOf(score, x0, level), add(affine(x0, -0.05), affine(output, -0.05)))).toBeLessThan(1e-12)
  expect(await apart(scoreOf(score, level), output)).toBeLessThan(1e-12)
})

test('refuses where the formulas are infinite, and levels without derivatives', () => {
  const atData = flowLevel(0, { interpolant: 'vp' })
  expect(() => velocityOf(readPrediction('epsilon', noise, x0, atData), x0, atData)).toThrow(
    'velocityOf: dSigma is infinite at t = 0, where only a velocity or a score can be used',
  )
  expect(() => scoreOf(readPrediction('epsilon', noise, x0, atData), atData)).toThrow(
    'scoreOf: the score is infinite where sigma is 0 (at t = 0); stop before the data',
  )
  const bare = { alpha: 0.6, sigma: 0.8, timestep: 5 }
  expect(() => velocityOf({ x0, noise }, x0, bare)).toThrow('velocityOf: it needs dAlpha and dSigma of the level')
})

test('a noise or a score says nothing of x0 where there is no signal', () => {
  for (const prediction of ['epsilon', 'score'] as const) {
    expect(() => readPrediction(prediction, noise, x0, flowLevel(1))).toThrow(/alpha is 0/)
  }
})

test('frees all but its result', () => {
  const level = flowLevel(0.3)
  const xt = mixed(0.7, 0.3)
  const before = backend.memory().buffers
  scope(() => {
    const parts = readPrediction('score', noise, xt, level)
    velocityOf(parts, xt, level)
    scoreOf(parts, level)
  })
  expect(backend.memory().buffers).toBe(before)
})
