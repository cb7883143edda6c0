import { scheduleBetas } from '@dit/schedules'
import { expect, test } from 'vitest'
import { gaussianDiffusion, originalTimesteps } from '../../src/index.js'

test('has the defaults of the reference implementation', () => {
  const diffusion = gaussianDiffusion()
  expect(diffusion).toMatchObject({
    family: 'gaussian',
    meanType: 'epsilon',
    varianceType: 'learnedRange',
    lossType: 'mse',
    numTimesteps: 1000,
    originalNumTimesteps: 1000,
  })
  expect(diffusion.tables.alphaBar[0]).toBeCloseTo(0.9999, 12)
  expect(diffusion.tables.alphaBar[999]).toBeCloseTo(4.0358e-5, 9)
  expect(diffusion.timestepMap.slice(0, 3)).toEqual(Int32Array.of(0, 1, 2))
})

test('is plain data', () => {
  const diffusion = gaussianDiffusion({ respacing: '10' })
  expect(structuredClone(diffusion)).toEqual(diffusion)
})

test('tells the model the timesteps of the original process', () => {
  const diffusion = gaussianDiffusion({ respacing: '7' })
  expect(diffusion.numTimesteps).toBe(7)
  expect(diffusion.originalNumTimesteps).toBe(1000)
  expect(originalTimesteps(diffusion, Int32Array.of(0, 1, 6))).toEqual(Int32Array.of(0, 166, 999))
})

test('passes through the same noise levels when respaced', () => {
  const all = gaussianDiffusion({ schedule: 'squaredcos_cap_v2' })
  const some = gaussianDiffusion({ schedule: 'squaredcos_cap_v2', respacing: 'ddim20' })
  for (const [i, timestep] of some.timestepMap.entries()) {
    expect(some.tables.alphaBar[i]).toBeCloseTo(all.tables.alphaBar[timestep], 12)
  }
})

test('takes betas of any origin, down to a single step', () => {
  expect(gaussianDiffusion({ betas: [0.36, 0.4375] }).tables.alphaBar[1]).toBeCloseTo(0.36, 15)
  expect(gaussianDiffusion({ betas: [0.5] })).toMatchObject({ numTimesteps: 1, originalNumTimesteps: 1 })
})

test('takes every schedule by name, with its ends', () => {
  const diffusion = gaussianDiffusion({ schedule: 'scaled_linear' })
  expect(diffusion.tables.betas).toEqual(
    gaussianDiffusion({ betas: scheduleBetas('scaled_linear', 1000) }).tables.betas,
  )
  const { betas } = gaussianDiffusion({ schedule: 'linear', numTimesteps: 10, betaStart: 0.1, betaEnd: 0.2 }).tables
  expect([betas[0], betas[9]]).toEqual([expect.closeTo(0.1, 12), expect.closeTo(0.2, 12)])
})

test('refuses a process whose last step leaves no signal, unless x0 is predicted', () => {
  expect(() => gaussianDiffusion({ numTimesteps: 20 })).toThrow(
    'gaussianDiffusion: alphaBar must stay above 0, or no x0 follows from the noise; a beta of 1 makes it 0 (at step 19, schedule linear of 20 timesteps); linear needs at least 21 timesteps',
  )
  expect(() => gaussianDiffusion({ numTimesteps: 16 })).toThrow(
    'gaussianDiffusion: linear needs at least 21 timesteps; with 16 its last beta would be 1.25, and betas must lie in (0, 1]',
  )
  expect(() => gaussianDiffusion({ numTimesteps: 0 })).toThrow('numTimesteps must be a positive integer (got 0)')
  // Without a signal x0 can still be predicted: terminal zero SNR on purpose.
  expect(gaussianDiffusion({ numTimesteps: 20, meanType: 'x0' }).tables.alphaBar[19]).toBe(0)
  expect(gaussianDiffusion({ numTimesteps: 21 }).numTimesteps).toBe(21)
  expect(() => gaussianDiffusion({ schedule: 'jsd', numTimesteps: 5 })).toThrow(
    '(at step 4, schedule jsd of 5 timesteps); predict x0, or take another schedule',
  )
  expect(() => gaussianDiffusion({ betas: [0.5, 1] })).toThrow('(at step 1, betas)')
  expect(gaussianDiffusion({ schedule: 'jsd', numTimesteps: 5, meanType: 'x0' }).tables.alphaBar[4]).toBe(0)
})

test('holds a loss weight where there is one', () => {
  expect(gaussianDiffusion({ lossWeight: { minSnr: 5 } }).lossWeight).toEqual({ minSnr: 5 })
  expect(gaussianDiffusion({ lossWeight: 'none' })).toEqual(gaussianDiffusion())
  expect(() => gaussianDiffusion({ lossWeight: { minSnr: -5 } })).toThrow(
    'gaussianDiffusion: minSnr must be a positive number (got -5)',
  )
  expect(() => gaussianDiffusion({ lossWeight: { minSnr: 5 }, lossType: 'kl' })).toThrow(
    'gaussianDiffusion: a loss weight is of the squared error, which loss type kl lacks',
  )
  expect(() => gaussianDiffusion({ lossWeight: { p2: {} }, meanType: 'previousX' })).toThrow(
    'gaussianDiffusion: there is no loss weight for previousX, only for epsilon and x0',
  )
})

test('refuses what it does not know', () => {
  expect(() => gaussianDiffusion({ betas: [0.5], numTimesteps: 1 })).toThrow(
    new TypeError('gaussianDiffusion: betas take the place of schedule and numTimesteps; give one or the other'),
  )
  expect(() => gaussianDiffusion({ betas: [0.5], betaEnd: 0.1 })).toThrow(
    new TypeError('gaussianDiffusion: betaStart and betaEnd are ends of a schedule, and betas are given'),
  )
  expect(() => gaussianDiffusion({ meanType: 'noise' as 'epsilon' })).toThrow(
    new RangeError('gaussianDiffusion: meanType must be one of epsilon, x0, previousX (got noise)'),
  )
  expect(() => gaussianDiffusion({ varianceType: 'fixed' as 'fixedSmall' })).toThrow(/varianceType must be one of/)
  expect(() => gaussianDiffusion({ lossType: 'l1' as 'mse' })).toThrow(/lossType must be one of mse, rescaledMse, kl/)
  expect(() => gaussianDiffusion({ respacing: 'ddim1' })).toThrow(RangeError)
})

test('refuses timesteps that are none', () => {
  const diffusion = gaussianDiffusion({ respacing: '10' })
  expect(() => originalTimesteps(diffusion, Int32Array.of(10))).toThrow(
    new RangeError('originalTimesteps: timesteps must be in 0 .. 9 (got 10)'),
  )
  expect(() => originalTimesteps(diffusion, [3] as unknown as Int32Array)).toThrow(
    new TypeError('originalTimesteps: timesteps must be an Int32Array (got object)'),
  )
})
