import { describe, expect, test } from 'vitest'
import type { ProcessSettings } from '../src/index.js'
import { describeProcess, isUnlikePaper, processOfWeights } from '../src/process-of.js'
import { tinyModel } from './tiny-model.js'

type Weights = Parameters<typeof processOfWeights>[1]
const weights = (changes: Partial<Weights> = {}): Weights => ({
  process: null,
  config: tinyModel,
  layout: 'reference',
  program: null,
  isDescribed: false,
  ...changes,
})
const of = (changes: Partial<Weights>, given: ProcessSettings = {}) => processOfWeights('w', weights(changes), given)

describe('weights of others', () => {
  test('are those of the paper, which is said where they might be SiT', () => {
    const { process, assumptions, isKnown } = of({})
    expect(process).toMatchObject({
      kind: 'gaussian',
      schedule: 'linear',
      meanType: 'epsilon',
      varianceType: 'learnedRange',
    })
    expect(assumptions).toEqual([expect.stringContaining('give `process` flow')])
    expect(isKnown).toBe(false)
    expect(of({ program: 'DiT' })).toMatchObject({ assumptions: [], isKnown: true })
    expect(of({ layout: 'diffusers' })).toMatchObject({ assumptions: [], isKnown: true })
    expect(of({ config: { ...tinyModel, learnSigma: false } }).process).toMatchObject({ varianceType: 'fixedLarge' })
  })

  test('are a flow of SiT where the caller says so, with what else was said', () => {
    const { process, assumptions, isKnown } = of({}, { kind: 'flow', interpolant: 'gvp' })
    expect(process).toMatchObject({
      kind: 'flow',
      interpolant: 'gvp',
      prediction: 'velocity',
      networkTime: 'towardsData',
    })
    expect(assumptions).toEqual([expect.stringContaining('a flow as in SiT'), 'that it predicts velocity'])
    expect(isKnown).toBe(true)
  })

  test('are a Gaussian diffusion with the settings that were said', () => {
    const given = { kind: 'gaussian', meanType: 'x0', schedule: 'squaredcos_cap_v2', numTimesteps: 100 } as const
    expect(of({}, given)).toMatchObject({ process: given, assumptions: [], isKnown: true })
  })
})

test('what a file says holds, and what it leaves open may be said', () => {
  const told = { kind: 'flow', networkTime: 'towardsData', interpolant: 'vp' } as const
  expect(of({ process: told }, { prediction: 'score' })).toMatchObject({
    process: { ...told, prediction: 'score' },
    assumptions: [],
    isKnown: true,
  })
})

test('a file of dit without a process has none, unless somebody says it', () => {
  expect(of({ isDescribed: true })).toEqual({ process: null, assumptions: [], isKnown: false })
  expect(of({ isDescribed: true }, { kind: 'gaussian' })).toMatchObject({
    process: { kind: 'gaussian' },
    isKnown: true,
  })
})

test.each<[Partial<Weights>, ProcessSettings, string]>([
  [
    { process: { kind: 'flow' } },
    { kind: 'gaussian' },
    'process gaussian: w says that it was trained as a flow; leave `process` out',
  ],
  [
    { process: { kind: 'flow', interpolant: 'gvp' } },
    { interpolant: 'linear' },
    'process.interpolant linear: w says gvp; leave the option out',
  ],
  [{}, { interpolant: 'vp' }, 'process.interpolant works only with `process` flow'],
  [{}, { schedule: 'linear' }, 'process.schedule works only with `process` gaussian'],
  [
    { layout: 'diffusers' },
    { kind: 'flow' },
    'process flow: w has the tensor names of diffusers, whose DiT is a diffusion, not a flow',
  ],
  [{}, { kind: 'gaussian', interpolant: 'vp' }, 'w: completeProcess: a gaussian process has no setting interpolant'],
  [{ process: { kind: 'wave' } }, {}, 'w: completeProcess: the process must be gaussian or flow (got wave)'],
])('%j with %j is refused', (changes, given, message) => {
  expect(() => of(changes, given)).toThrow(message)
})

test('a process in words', () => {
  expect(describeProcess({})).toBe('a Gaussian diffusion')
  expect(describeProcess({ meanType: 'x0', schedule: 'squaredcos_cap_v2', numTimesteps: 50 })).toBe(
    'a Gaussian diffusion, predicts x0, squaredcos_cap_v2 schedule, 50 timesteps',
  )
  expect(describeProcess({ kind: 'flow', interpolant: 'linear', prediction: 'velocity' })).toBe(
    'a flow: linear path, predicts velocity; time 0 is data and 1 is noise',
  )
  expect(describeProcess({ kind: 'wave' })).toBe('a process of unknown kind wave')
  expect([null, {}, { betas: [0.1] }, { kind: 'flow' }].map(isUnlikePaper)).toEqual([false, false, true, true])
})
