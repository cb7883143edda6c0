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

test('refuses what it does not know', () => {
  expect(() => gaussianDiffusion({ betas: [0.5], numTimesteps: 1 })).toThrow(
    new TypeError('gaussianDiffusion: betas take the place of schedule and numTimesteps; give one or the other'),
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
