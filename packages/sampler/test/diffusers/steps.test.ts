import { diffusersPlan, diffusersSampler } from '@dit/sampler'
import { affine } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { float, numbers } from '../../../diffusion/test/tensors.js'

const plan = (name: string, fields: object, steps: object) =>
  diffusersPlan({ _class_name: `${name}Scheduler`, ...fields })({ numSteps: 4, ...steps })

test('log-linear sigmas are one more than the steps, and churn is divided by their count', async () => {
  const raises = async (fields: object, churn: number) => {
    const sample = diffusersSampler({ _class_name: 'EulerDiscreteScheduler', ...fields })
    const added: number[] = []
    const noise = (index: number) => (added.push(index), float([index === 0 ? 1 : 0]))
    const steps = sample((xt) => affine(xt, 0), float([0]), { numSteps: 4, churn, noise })
    // The network finds no noise: after the first step xt is what was added.
    for await (const { xt } of steps) return (await numbers(xt))[0]
    throw new Error('no step')
  }
  const sigma = plan('EulerDiscrete', {}, {}).path.steps[0].from.sigma
  const reached = async (fields: object) => (await raises(fields, 1)) / sigma
  expect(await reached({})).toBeCloseTo(Math.sqrt(1.25 ** 2 - 1), 9)
  expect(await reached({ interpolation_type: 'log_linear' })).toBeCloseTo(Math.sqrt(1.2 ** 2 - 1), 9)
  const spread = { interpolation_type: 'log_linear', use_karras_sigmas: true }
  expect(await reached(spread)).toBeCloseTo(Math.sqrt(1.25 ** 2 - 1), 9)
})

describe('options of set_timesteps', () => {
  const flow = { use_flow_sigmas: true, prediction_type: 'flow_prediction' }
  const karras = { ...flow, use_karras_sigmas: true }

  test('UniPC spreads over the given sigmas of a flow', () => {
    const sigmas = [0.1, 0.4, 0.6, 0.9]
    const { steps } = plan('UniPCMultistep', karras, { sigmas }).path
    const ratios = steps.map(({ from }) => from.sigma / from.alpha)
    expect(ratios[0]).toBeCloseTo(0.9, 12)
    expect(ratios[1]).toBeCloseTo(((2 * 0.9 ** (1 / 7) + 0.1 ** (1 / 7)) / 3) ** 7, 12)
    expect(ratios[3]).toBeCloseTo(0.1, 12)
    // sigma_min and sigma_max go before them, as there.
    const told = plan('UniPCMultistep', { ...karras, sigma_min: 0.2, sigma_max: 5 }, { sigmas }).path.steps
    expect(told.map(({ from }) => from.timestep)).toEqual([833, 666, 409, 166])
    expect(() => plan('UniPCMultistep', karras, { sigmas: sigmas.toReversed() })).toThrow(
      'diffusersSampler: sigmas must rise where UniPCMultistepScheduler spreads them, which turns them round (got 0.9 to 0.1)',
    )
  })

  test('refuses sigmas that there are none of', () => {
    expect(() => plan('UniPCMultistep', {}, { sigmas: [0.9, 0.6, 0.4, 0.1] })).toThrow(
      'diffusersSampler: sigmas must be left out with UniPCMultistepScheduler unless use_flow_sigmas is true',
    )
  })

  test('refuses mu where nothing is shifted by it, and needs it where UniPC shifts', () => {
    for (const name of ['DPMSolverMultistep', 'DPMSolverSinglestep', 'DEISMultistep', 'UniPCMultistep']) {
      for (const fields of [{}, flow]) {
        expect(() => plan(name, fields, { mu: 1 })).toThrow('diffusersSampler: mu is for use_dynamic_shifting')
      }
    }
    const linear = { use_dynamic_shifting: true, time_shift_type: 'linear' }
    expect(() => plan('DEISMultistep', linear, { mu: 1 })).toThrow('time_shift_type must be "exponential"')
    for (const fields of [{}, flow, karras]) {
      expect(() => plan('UniPCMultistep', { ...fields, use_dynamic_shifting: true }, {})).toThrow(
        'diffusersSampler: use_dynamic_shifting needs mu, which follows from the size of the image',
      )
    }
  })
})

describe('custom timesteps', () => {
  const whole = ['DDPM', 'DPMSolverMultistep', 'DPMSolverSinglestep']
  const rule = (name: string, isWhole: boolean, got: string) =>
    `diffusersSampler: timesteps of ${name}Scheduler must be ${isWhole ? 'integers' : 'numbers'} in 0..999 that fall throughout (got ${got})`

  test.each([...whole, 'EulerDiscrete', 'HeunDiscrete'])('of %s must be in the process and fall', (name) => {
    const give = (timesteps: readonly number[]) => plan(name, {}, { numSteps: timesteps.length, timesteps })
    const isWhole = whole.includes(name)
    expect(give([999, 500, 0]).path.steps.map(({ from }) => from.timestep)).toEqual([999, 500, 0])
    for (const bad of [[1500, 500, 100], [999, -1], [500, 500], [100, 500], [Number.NaN]]) {
      expect(() => give(bad)).toThrow(rule(name, isWhole, bad.join(', ')))
    }
  })

  test('may lie between those of the process where sigmas are known there', () => {
    const give = (name: string) => () => plan(name, {}, { numSteps: 2, timesteps: [900.5, 20] }).path.steps[0].from
    for (const name of whole) expect(give(name)).toThrow(rule(name, true, '900.5, 20'))
    for (const name of ['EulerDiscrete', 'HeunDiscrete']) expect(give(name)().timestep).toBe(900.5)
  })
})

test('EDM takes 1 step only where diffusers begins at the largest sigma and ends elsewhere', () => {
  const once = (name: string, fields: object) => () => plan(name, fields, { numSteps: 1 })
  expect(once('EDMEuler', {})().path.steps[0].from.sigma).toBe(80)
  expect(once('EDMDPMSolverMultistep', { final_sigmas_type: 'sigma_min' })().path.steps[0].to.sigma).toBe(0.002)
  const message = (name: string) =>
    `diffusersSampler: ${name}Scheduler cannot take 1 step with these sigmas, where the library begins at sigma_min or ends where it begins; numSteps must be 2 or more`
  expect(once('EDMEuler', { final_sigmas_type: 'sigma_min' })).toThrow(message('EDMEuler'))
  for (const name of ['EDMEuler', 'EDMDPMSolverMultistep']) {
    expect(once(name, { sigma_schedule: 'exponential' })).toThrow(message(name))
  }
})
