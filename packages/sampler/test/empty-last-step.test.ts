import { diffusersSampler, lastStep } from '@dit/sampler'
import { preservingLevel } from '@dit/schedules'
import { affine } from '@dit/tensor'
import { expect, test } from 'vitest'
import { float, numbers } from '../../diffusion/test/tensors.js'
import type { DpmAlgorithm } from '../src/index.js'
import { exponentialStep } from '../src/exponential-step.js'

test('the draws of a step that is empty but for rounding count for nothing', () => {
  const level = preservingLevel(0.02, 0)
  for (const algorithm of ['sde-dpmsolver', 'sde-dpmsolver++'] satisfies DpmAlgorithm[]) {
    for (const h of [-2e-16, 0]) {
      expect(exponentialStep({ from: level, to: level }, h, { algorithm, type: 'midpoint' }).fresh, algorithm).toBe(0)
    }
  }
})

test('an SDE over spread sigmas ends at the smallest of them', async () => {
  const sample = diffusersSampler({
    _class_name: 'DPMSolverMultistepScheduler',
    beta_start: 0.0005,
    beta_end: 0.03,
    rescale_betas_zero_snr: true,
    use_exponential_sigmas: true,
    algorithm_type: 'sde-dpmsolver++',
    final_sigmas_type: 'sigma_min',
  })
  const result = await lastStep(sample((xt) => affine(xt, 0.5), float([1]), { numSteps: 21, seed: 0 }))
  expect(Number.isFinite((await numbers(result))[0])).toBe(true)
})
