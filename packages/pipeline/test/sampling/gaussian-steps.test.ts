import { gaussianProcess, type PredictAt } from '@dit/diffusion'
import { ddpm, lastStep, startNoise } from '@dit/sampler'
import { SPACINGS } from '@dit/schedules'
import { affine, reference, type Tensor, toFloat32Array } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { toldSigma } from '../../src/sampling/guided-predictor.js'
import { gaussianSolving } from '../../src/sampling/gaussian-solving.js'
import { ddpmDiffusion, type GaussianSteps } from '../../src/sampling/gaussian-steps.js'
import { mostStepsWith, spacedDiffusion } from '../../src/sampling/sampling-path.js'

// Data of one normal distribution, of which the best estimate of x0 is known at every level.
const SPREAD = 0.5
const process = { meanType: 'x0', varianceType: 'fixedSmall' } as const
const sigmaOf = toldSigma(process)
const predict: PredictAt = (xt, [timestep]) => {
  const ratio = sigmaOf(timestep)
  const alpha = 1 / Math.hypot(1, ratio)
  return affine(xt, SPREAD ** 2 / alpha / (SPREAD ** 2 + ratio ** 2))
}
const backend = reference()
const xT = startNoise([256, 1, 1, 2], { seed: 0, backend })
/** The loop that samples by this name. */
function gaussianSteps(spec: typeof process, name: string, told: PredictAt, start: Tensor, settings: GaussianSteps) {
  if (name === 'ddpm')
    return ddpm(ddpmDiffusion(spec, settings), told, start, { ...settings.noise, clipDenoised: false })
  const { path, denoise, solve } = gaussianSolving(spec, name, told, settings)
  return solve(path, denoise, start)
}
const options = { eta: 0, clip: false, noise: { seed: 1, firstSample: 0 } }
// One of each kind: over whole timesteps, with `eta`, by either rule, with slopes and with weights of their own.
const SOME = ['ddpm', 'ddim', 'dpm', 'heun', 'unipc', 'lms', 'plms']
const onlyTimesteps = ['ddpm', 'plms']

describe.each(SPACINGS)('with %s', (spacing) => {
  const isBetween = ['karras', 'exponential', 'beta'].includes(spacing)
  const samplers = SOME.filter((name) => !(isBetween && onlyTimesteps.includes(name)))
  test.each(samplers)('%s draws from the distribution', async (name) => {
    // Beta has few levels between its two ends, where the picture comes out.
    const numSteps = spacing === 'beta' ? 400 : 50
    const steps = gaussianSteps(process, name, predict, xT, { ...options, steps: numSteps, spacing })
    const drawn = await toFloat32Array(await lastStep(steps))
    const spread = Math.sqrt(drawn.reduce((sum, value) => sum + value ** 2, 0) / drawn.length)
    expect(Math.abs(spread / SPREAD - 1)).toBeLessThan(0.12)
  })
})

test('ddpm takes the timesteps that the spacing names, and ends without noise', async () => {
  const told: number[] = []
  const record: PredictAt = (xt, timesteps) => {
    told.push(timesteps[0])
    return predict(xt, timesteps)
  }
  const before = backend.memory().buffers
  const end = await lastStep(gaussianSteps(process, 'ddpm', record, xT, { ...options, steps: 4, spacing: 'trailing' }))
  expect(told).toEqual([999, 749, 499, 249])
  end.dispose()
  expect(backend.memory().buffers).toBe(before)
  const { tables, numTimesteps } = spacedDiffusion(process, { steps: 4, spacing: 'leading' })
  expect(numTimesteps).toBe(4)
  expect(tables.alphaBar[3]).toBeCloseTo(gaussianProcess(process).diffusion.tables.alphaBar[750], 12)
})

test('a spacing is counted as the sampler counts', () => {
  const known = gaussianProcess(process)
  const first = (rule: 'ddim' | 'dpm') => known.path({ numSteps: 4, spacing: 'leading', rule }).steps[0].from
  expect([first('ddim').timestep, first('dpm').timestep]).toEqual([750, 800])
  const most = (sampler: string, spacing?: string) => mostStepsWith({ numTimesteps: 30 }, sampler, spacing)
  expect([
    most('ddpm'),
    most('dpm'),
    most('dpm', 'trailing'),
    most('unipc', 'linspace'),
    most('lms', 'leading'),
  ]).toEqual([30, 29, 30, 29, 30])
  expect(mostStepsWith({ kind: 'flow' }, 'unipc')).toBe(Infinity)
})

test('what a network is told has a noise over signal', () => {
  const { alphaBar } = gaussianProcess().diffusion.tables
  expect(toldSigma({})(500)).toBeCloseTo(Math.sqrt(1 / alphaBar[500] - 1), 10)
  expect(toldSigma({ respacing: '10' })(500)).toBeCloseTo(Math.sqrt(1 / alphaBar[500] - 1), 10)
  expect(toldSigma({ kind: 'flow', networkTime: 'towardsData' })(0.75)).toBeCloseTo(1 / 3, 12)
  expect(toldSigma({ kind: 'flow', networkTime: 'towardsData' })(0)).toBe(Infinity)
  expect(toldSigma({ kind: 'flow', timestepScale: 1000 })(500)).toBeCloseTo(1, 12)
})
