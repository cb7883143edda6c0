import { denoiser, type PredictAt } from '@dit/diffusion'
import { lastStep, startNoise } from '@dit/sampler'
import { flowLevel, type Interpolant, type NoiseLevel } from '@dit/schedules'
import { affine, reference, toFloat32Array } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { FLOW_PATH_SOLVERS, type FlowPathSolverName } from '../../src/sampling/path-solver-names.js'
import { PATH_SOLVERS } from '../../src/sampling/path-solvers.js'
import { NEARLY_NOISE, pathOfFlow } from '../../src/sampling/sampling-path.js'

// Data of one normal distribution. Its flow moves every point by the ratio of the deviations about the mean.
const SPREAD = 0.5
const MEAN = 0.3
const deviation = ({ alpha, sigma }: NoiseLevel) => Math.hypot(alpha * SPREAD, sigma)

/** The velocity of the best estimates: (dAlpha alpha SPREAD^2 + dSigma sigma) / deviation^2 (xt - alpha MEAN) + dAlpha MEAN. */
const exactNetwork =
  (interpolant: Interpolant): PredictAt =>
  (xt, [t]) => {
    const level = flowLevel(t, { interpolant })
    const [dAlpha, dSigma] = [level.dAlpha!, level.dSigma!]
    const factor = (dAlpha * level.alpha * SPREAD ** 2 + dSigma * level.sigma) / deviation(level) ** 2
    return affine(xt, factor, dAlpha * MEAN - factor * level.alpha * MEAN)
  }

const xT = startNoise([256, 1, 1, 2], { seed: 0, backend: reference() })

async function solve(name: FlowPathSolverName, interpolant: Interpolant, steps: number, changes = {}) {
  const path = pathOfFlow({ kind: 'flow', interpolant }, { steps, ...changes }, 'signal')
  const start = affine(xT, path.startScale)
  const denoise = denoiser(exactNetwork(interpolant), { prediction: 'velocity' })
  const drawn = await toFloat32Array(
    await lastStep(PATH_SOLVERS[name](path, denoise, start, { seed: 1, firstSample: 0 })),
  )
  const [from, to] = [path.steps[0].from, path.steps.at(-1)!.to]
  const exact = Array.from(
    await toFloat32Array(start),
    (x) => to.alpha * MEAN + (deviation(to) / deviation(from)) * (x - from.alpha * MEAN),
  )
  return { drawn, error: Math.max(...drawn.map((x, i) => Math.abs(x - exact[i]))) }
}

const hasFreshNoise = (name: string) => name === 'euler-a' || name.endsWith('-sde')

describe.each(['linear', 'gvp'] as const)('on a %s flow', (interpolant) => {
  test.each(FLOW_PATH_SOLVERS.filter((name) => !hasFreshNoise(name)))(
    '%s comes to the exact solution, with second order',
    async (name) => {
      const [coarse, fine] = [await solve(name, interpolant, 60), await solve(name, interpolant, 120)]
      // 2^2, but for terms of higher order. Euler's method ends at 0.02.
      expect(coarse.error / fine.error).toBeGreaterThan(2.6)
      expect(fine.error).toBeLessThan(3e-3)
    },
  )

  test.each(FLOW_PATH_SOLVERS.filter(hasFreshNoise))('%s draws from the distribution', async (name) => {
    const { drawn, error } = await solve(name, interpolant, 80)
    expect(error).toBeGreaterThan(0.5)
    const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length
    const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length
    expect(Math.abs(mean - MEAN)).toBeLessThan(0.07) // 3 / sqrt(512) deviations
    expect(Math.abs(Math.sqrt(variance) / SPREAD - 1)).toBeLessThan(0.2)
  })
})

test.each(FLOW_PATH_SOLVERS)('%s takes any spacing, any shift and a single step', async (name) => {
  for (const changes of [{ spacing: 'karras' }, { spacing: 'exponential' }, { spacing: 'beta' }, { shift: 3 }]) {
    const { error, drawn } = await solve(name, 'linear', 20, changes)
    expect(drawn.every(Number.isFinite)).toBe(true)
    expect(hasFreshNoise(name) || error < 0.2).toBe(true)
  }
  // One step from nearly pure noise is the mean of the data.
  const { drawn } = await solve(name, 'linear', 1)
  for (const x of drawn.slice(0, 8)) expect(x).toBeCloseTo(MEAN, 1)
})

test('a path begins where there is a little signal only if its noise has none, with the noise scaled', () => {
  const starts = (['linear', 'gvp', 'vp'] as const).map((interpolant) => {
    const { steps, startScale } = pathOfFlow({ kind: 'flow', interpolant }, { steps: 4 }, 'signal')
    expect(startScale).toBe(steps[0].from.sigma)
    expect(steps[0].from.alpha).toBeGreaterThan(0)
    return steps[0].from.t
  })
  expect(starts).toEqual([NEARLY_NOISE, NEARLY_NOISE, 1])
  const whole = pathOfFlow({ kind: 'flow' }, { steps: 4 }, 'ode')
  expect(whole.steps[0].from).toMatchObject({ t: 1, alpha: 0 })
  expect(whole.startScale).toBe(1)
  const score = pathOfFlow({ kind: 'flow', prediction: 'score' }, { steps: 4 }, 'signal')
  expect([score.steps[0].from.t, score.steps[3].to.t]).toEqual([0.999, 0.001])
})

test('the shift is that of the training unless another is asked for', () => {
  const middle = (shift?: number) =>
    pathOfFlow({ kind: 'flow', times: { law: 'uniform', shift: 3 } }, { steps: 2, shift }, 'ode').steps[1].from.t
  expect(middle()).toBeCloseTo(0.75, 12)
  expect(middle(1)).toBe(0.5)
})
