import { readFileSync } from 'node:fs'
import type { Predict } from '@dit/diffusion'
import { diffusersProcess, diffusersSampler } from '@dit/sampler'
import { affine, tanh } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { backend, float, numbers } from '../../diffusion/test/tensors.js'

/** Made by tools/oracle/diffusers-schedulers.py. */
interface Chain {
  /** scheduler_config.json as diffusers writes it. */
  readonly text: string
  readonly numSteps: number
  readonly eta: number
  readonly xT: readonly number[]
  readonly noise: readonly (readonly number[])[]
  readonly timesteps: readonly number[]
  readonly xt: readonly (readonly number[])[]
}

const chains = JSON.parse(
  readFileSync(new URL('fixtures/diffusers-schedulers.json', import.meta.url), 'utf8'),
) as readonly Chain[]

const SHAPE = [2, 1, 2, 3]
const model: Predict = (xt, [timestep]) => affine(tanh(xt), 0.7, 0.1 * Math.sin(timestep / 100))

describe.each(chains.map((chain, i) => ({ i, chain, name: nameOf(chain) })))('$i: $name', ({ chain }) => {
  test('takes the steps of diffusers to the same samples', async () => {
    const before = backend.memory().buffers
    const xT = float(chain.xT, SHAPE)
    const noise = (index: number) => float(chain.noise[index], SHAPE)
    const steps = diffusersSampler(chain.text)(model, xT, {
      numSteps: chain.numSteps,
      eta: chain.eta,
      ...(chain.eta > 0 ? { noise } : {}),
    })
    const timesteps: number[] = []
    for await (const { timestep, index, numSteps, xt, x0 } of steps) {
      timesteps.push(timestep)
      const got = await numbers(xt)
      const scale = Math.max(1, ...chain.xt[index].map(Math.abs))
      const error = Math.max(...got.map((value, i) => Math.abs(value - chain.xt[index][i])))
      // diffusers multiplies its tables up in float32 (1e-6 by the end), divides by alphas of down to 0.006 at the first
      // steps, and its 1 - alphaBar has an error of 4e-4 near timestep 0, where it weighs a hundredth.
      expect(error / scale, `step ${index}`).toBeLessThan(2e-5)
      if (index === numSteps - 1) for (const last of [xt, x0]) last.dispose()
    }
    expect(timesteps).toEqual(chain.timesteps)
    xT.dispose()
    expect(backend.memory().buffers).toBe(before)
  })
})

function nameOf({ text, numSteps }: Chain): string {
  const fields = JSON.parse(text.replaceAll('-Infinity', 'null')) as Record<string, string | boolean | undefined>
  const told = ['beta_schedule', 'timestep_spacing', 'prediction_type', 'use_karras_sigmas', 'final_sigmas_type']
  const parts = told.map((field) => fields[field]).filter((value) => value !== undefined)
  return `${fields['_class_name']} ${parts.join(' ')}, ${numSteps} steps`
}

test.each([
  [{ _class_name: 'PNDMScheduler' }, '_class_name must be DDIMScheduler or DPMSolverMultistepScheduler'],
  [{ _class_name: 'DDIMScheduler', thresholding: true }, 'thresholding must be false (got true)'],
  [{ _class_name: 'DDIMScheduler', timestep_spacing: 'even' }, 'timestep_spacing must be "leading" or'],
  [{ _class_name: 'DDIMScheduler', beta_schedule: 'sigmoid' }, 'beta_schedule must be "linear" or'],
  [{ _class_name: 'DPMSolverMultistepScheduler', algorithm_type: 'sde-dpmsolver++' }, 'algorithm_type must be'],
  [{ _class_name: 'DPMSolverMultistepScheduler', solver_order: 3 }, 'solver_order must be 2 or 1 (got 3)'],
  [{ _class_name: 'DPMSolverMultistepScheduler', use_lu_lambdas: true }, 'use_lu_lambdas must be false (got true)'],
])('refuses %o', (fields, message) => {
  expect(() => diffusersSampler(fields)).toThrow(RangeError)
  expect(() => diffusersSampler(fields)).toThrow(`scheduler_config.json: ${message}`)
})

test('refuses what is no object, wrong kinds, and noise in DPM-Solver++', () => {
  expect(() => diffusersSampler('[]')).toThrow(TypeError)
  expect(() => diffusersSampler('{')).toThrow(new RangeError('scheduler_config.json: must be JSON'))
  expect(() => diffusersSampler({ _class_name: 'DDIMScheduler', steps_offset: '1' })).toThrow(
    new TypeError('scheduler_config.json: steps_offset must be a number (got "1")'),
  )
  const solver = diffusersSampler({ _class_name: 'DPMSolverMultistepScheduler' })
  expect(() => solver(model, float([1]), { numSteps: 2, eta: 1, seed: 0 })).toThrow(/eta must be 0/)
})

test('tells the process of a scheduler that is not here, and refuses one that is none of ours', () => {
  const { betas, predictionType } = diffusersProcess(
    '{"_class_name": "PNDMScheduler", "lambda_min_clipped": -Infinity}',
  )
  expect([betas.length, betas[0], betas[999], predictionType]).toEqual([1000, 0.0001, 0.02, 'epsilon'])
  const other = diffusersProcess({ trained_betas: [0.1, 0.2], prediction_type: 'v_prediction' })
  expect(other).toEqual({ betas: Float64Array.of(0.1, 0.2), predictionType: 'v' })
  expect(() => diffusersProcess({ rescale_betas_zero_snr: true })).toThrow(
    new RangeError('scheduler_config.json: rescale_betas_zero_snr must be false (got true)'),
  )
})
