import { readFileSync } from 'node:fs'
import type { Predict } from '@dit/diffusion'
import { diffusersPlan, diffusersProcess, diffusersSampler, lastStep } from '@dit/sampler'
import { diffusionTables, directBetas, sigmaTable } from '@dit/schedules'
import { affine, tanh } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { backend, buffersLeft, float, numbers } from '../../diffusion/test/tensors.js'

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
  [{ _class_name: 'IPNDMScheduler' }, '_class_name must be one of DDIMScheduler, DDPMScheduler, '],
  [{ _class_name: 'constructor' }, '_class_name must be one of DDIMScheduler, '],
  [{ _class_name: 'CMStochasticIterativeScheduler' }, '_class_name must be one of DDIMScheduler, '],
  [{ _class_name: 'DDIMScheduler', timestep_spacing: 'even' }, 'timestep_spacing must be "leading" or'],
  [{ _class_name: 'DDIMScheduler', beta_schedule: 'sigmoid' }, 'beta_schedule must be "linear" or'],
  [{ _class_name: 'DDPMScheduler', variance_type: 'fixed_large_log' }, 'variance_type must be "fixed_small" or'],
  [
    { _class_name: 'EulerAncestralDiscreteScheduler', prediction_type: 'sample' },
    'prediction_type must be "epsilon" or',
  ],
  [
    { _class_name: 'EulerDiscreteScheduler', use_karras_sigmas: true, use_beta_sigmas: true },
    'one at most of use_karras_sigmas, use_beta_sigmas may be true',
  ],
  [
    { _class_name: 'DPMSolverMultistepScheduler', algorithm_type: 'dpmsolver' },
    'final_sigmas_type must be "sigma_min" for',
  ],
  [
    {
      _class_name: 'DPMSolverMultistepScheduler',
      algorithm_type: 'sde-dpmsolver',
      solver_order: 3,
      final_sigmas_type: 'sigma_min',
    },
    'solver_order must be 1 or 2 with sde-dpmsolver (got 3)',
  ],
  [{ _class_name: 'DPMSolverMultistepScheduler', solver_order: 4 }, 'solver_order must be 2 or 1 or 3 (got 4)'],
  [
    { _class_name: 'DPMSolverMultistepScheduler', prediction_type: 'flow_prediction' },
    'flow_prediction needs use_flow_sigmas',
  ],
  [
    { _class_name: 'DPMSolverMultistepScheduler', use_flow_sigmas: true, use_karras_sigmas: true },
    'use_flow_sigmas cannot go with use_karras_sigmas',
  ],
  [{ _class_name: 'UniPCMultistepScheduler', solver_p: {} }, 'solver_p must be left out'],
  [
    { _class_name: 'UniPCMultistepScheduler', predict_x0: false },
    'final_sigmas_type must be "sigma_min" where predict_x0',
  ],
  [{ _class_name: 'UniPCMultistepScheduler', shift_terminal: 0.1 }, 'shift_terminal needs use_flow_sigmas'],
  [{ _class_name: 'PNDMScheduler', prediction_type: 'sample' }, 'prediction_type must be "epsilon" or "v_prediction"'],
  [{ _class_name: 'EDMEulerScheduler', prediction_type: 'sample' }, 'prediction_type must be "epsilon" or'],
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
  const zero = diffusersProcess({ rescale_betas_zero_snr: true })
  expect(zero.betas[999]).toBe(1)
  expect(diffusersProcess({ _class_name: 'HeunDiscreteScheduler' }).betas[0]).toBe(0.00085)
})

test.each(['FlowMatchEulerDiscreteScheduler', 'EDMEulerScheduler', 'ScoreSdeVeScheduler', 'LCMScheduler'])(
  'reads no Gaussian process out of a %s',
  (name) => {
    expect(() => diffusersProcess({ _class_name: name })).toThrow(
      new RangeError(
        `scheduler_config.json: "${name}" is not known as a scheduler of a Gaussian process, so its network cannot be read as one`,
      ),
    )
  },
)

test('reads no Gaussian process out of a flow by another name', () => {
  const fields = { _class_name: 'UniPCMultistepScheduler', prediction_type: 'flow_prediction' }
  expect(() => diffusersProcess(fields)).toThrow(/prediction_type must be/)
  expect(() => diffusersProcess({ ...fields, use_flow_sigmas: true })).toThrow(
    /use_flow_sigmas is true: .* straight path/,
  )
})

test('refuses options that a scheduler does not have, and steps that do not fit', () => {
  const run =
    (name: string, options: object, fields: object = {}) =>
    () =>
      diffusersSampler({ _class_name: `${name}Scheduler`, ...fields })(model, float([1]), { numSteps: 4, ...options })
  expect(run('EulerDiscrete', { eta: 1 })).toThrow(
    'diffusersSampler: eta must be 0 with EulerDiscreteScheduler (got 1)',
  )
  expect(run('DDIM', { churn: 1 })).toThrow('churn must be 0 with DDIMScheduler (got 1)')
  expect(run('DDIM', { order: 2 })).toThrow('order must be left out with DDIMScheduler (got 2)')
  expect(run('DDIM', { mu: 1 })).toThrow('mu must be left out with DDIMScheduler')
  expect(run('DDIM', { numSteps: 0 })).toThrow('numSteps must be a positive integer (got 0)')
  expect(run('DDPM', { timesteps: [1, 0] })).toThrow('timesteps must hold numSteps values, 4 (got 2)')
  expect(run('PNDM', { numSteps: 3 })).toThrow('PNDMScheduler needs 4 steps unless skip_prk_steps is true (got 3)')
  expect(run('FlowMatchEulerDiscrete', {}, { use_dynamic_shifting: true })).toThrow(/use_dynamic_shifting needs mu/)
  expect(run('DPMSolverMultistep', { numSteps: 1000 })).toThrow(/numSteps must be below 1000 \(got 1000\)/)
  expect(run('UniPCMultistep', {}, { solver_type: 'bh1' })).toThrow(/unipc: where the last sigma is 0 .* bh1/)
  expect(run('EulerAncestralDiscrete', {})).toThrow(/a seed or a noise function is needed/)
})

test('DDIM takes the noise from the clipped x0 where it is asked to', async () => {
  const plan = diffusersPlan({ _class_name: 'DDIMScheduler' })
  expect(plan({ numSteps: 2 }).reading.noiseFrom).toBe('prediction')
  expect(plan({ numSteps: 2, usesClippedModelOutput: true }).reading.noiseFrom).toBe('clippedX0')
  // From timestep 500 to 0 and on to no noise: x0 is clipped to 1 in both steps.
  const sample = diffusersSampler({ _class_name: 'DDIMScheduler' })
  const told = { numSteps: 2, usesClippedModelOutput: true }
  expect(await numbers(await lastStep(sample((xt) => affine(xt, 0), float([5]), told)))).toEqual([1])
  const other = diffusersSampler({ _class_name: 'PNDMScheduler' })
  expect(() => other(model, float([1]), { ...told, numSteps: 4 })).toThrow(
    'diffusersSampler: usesClippedModelOutput must be left out with PNDMScheduler',
  )
})

test('scales unit noise to the first level, and leaks nothing', async () => {
  const sample = diffusersSampler({ _class_name: 'EulerDiscreteScheduler', timestep_spacing: 'leading' })
  const ends = { numTimesteps: 1000, betaStart: 0.0001, betaEnd: 0.02 }
  const seen: number[] = []
  const xT = float([1, -1])
  let first = 0
  const left = await buffersLeft(async () => {
    const last = await lastStep(sample((xt, [timestep]) => (seen.push(timestep), affine(xt, 0)), xT, { numSteps: 2 }))
    ;[first] = await numbers(last)
    last.dispose()
  })
  // No noise is ever found, so the start stays: sqrt(sigmaMax^2 + 1), with the sigma of timestep 500.
  const sigma = sigmaTable(diffusionTables(directBetas('linear', ends)).alphaBar)[500]
  expect(first).toBeCloseTo(Math.sqrt(sigma ** 2 + 1), 9)
  expect(seen).toEqual([500, 0])
  expect(left).toBe(0)
})
