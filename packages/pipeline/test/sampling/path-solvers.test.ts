import { gaussianProcess, type PredictAt } from '@dit/diffusion'
import { lastStep, startNoise } from '@dit/sampler'
import { affine, reference, toFloat32Array } from '@dit/tensor'
import { expect, test } from 'vitest'
import { PATH_SOLVER_NAMES } from '../../src/sampling/path-solver-names.js'
import { PATH_SOLVERS } from '../../src/sampling/path-solvers.js'

// Data of one normal distribution, of which the best estimate of x0 is known.
const SPREAD = 0.5
const process = gaussianProcess({ meanType: 'x0', varianceType: 'fixedSmall' })
const path = process.path({ numSteps: 100 })
const shareOf = ({ alpha, sigma }: { alpha: number; sigma: number }) =>
  (alpha * SPREAD ** 2) / (alpha ** 2 * SPREAD ** 2 + sigma ** 2)
const shares = new Map(path.steps.map(({ from }) => [from.timestep, shareOf(from)]))
const predict: PredictAt = (xt, timesteps) => affine(xt, shares.get(timesteps[0])!)

const xT = startNoise([512, 1, 1, 2], { seed: 0, backend: reference() })
const { alpha, sigma } = path.steps[0].from
const exact = SPREAD / Math.hypot(alpha * SPREAD, sigma)

test.each(PATH_SOLVER_NAMES)('%s draws from the distribution', async (name) => {
  const steps = PATH_SOLVERS[name](path, process.denoiser(predict), xT, { seed: 1, firstSample: 0 })
  const drawn = await toFloat32Array(await lastStep(steps))
  const start = await toFloat32Array(xT)
  const hasFreshNoise = name === 'euler-a' || name.endsWith('-sde')
  const error = Math.max(...drawn.map((value, i) => Math.abs(value - exact * start[i])))
  // Only Euler's method is of first order.
  const [least, most] = hasFreshNoise ? [0.5, Infinity] : [0, name === 'euler' ? 0.1 : 0.03]
  expect(error).toBeGreaterThanOrEqual(least)
  expect(error).toBeLessThan(most)
  const spread = Math.sqrt(drawn.reduce((sum, value) => sum + value ** 2, 0) / drawn.length)
  expect(Math.abs(spread / SPREAD - 1)).toBeLessThan(0.08)
})
