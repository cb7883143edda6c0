import { expect, test } from 'vitest'
import { gaussianPath, gaussianProcess } from '../../src/index.js'

test('a path goes through all timesteps of a respaced process, and then to no noise', () => {
  const process = gaussianProcess({ respacing: 'ddim4' })
  const { steps, startScale } = process.path()
  expect(steps.map(({ from }) => from.timestep)).toEqual([...process.diffusion.timestepMap].toReversed())
  expect(steps.at(-1)!.to).toEqual({ alpha: 1, sigma: 0, timestep: 0 })
  expect(startScale).toBe(1)
  const { alphaBar } = process.diffusion.tables
  for (const [i, { from }] of steps.entries()) {
    expect(from.alpha).toBe(Math.sqrt(alphaBar[3 - i]))
    expect(from.sigma).toBe(Math.sqrt(1 - alphaBar[3 - i]))
  }
  expect(gaussianPath(process.diffusion)).toEqual(process.path())
})

test('a path of fewer steps begins at the last timestep, and leaves room for the step to no noise as its spacing says', () => {
  const told = (spacing?: 'linspace' | 'leading') =>
    gaussianProcess()
      .path({ numSteps: 5, ...(spacing && { spacing }) })
      .steps.map(({ from }) => from.timestep)
  expect(told()).toEqual([999, 799, 599, 399, 199])
  expect(told('linspace')).toEqual([999, 799, 599, 400, 200])
  expect(told('leading')).toEqual([830, 664, 498, 332, 166])
})

test('says how many steps there is room for', () => {
  const process = gaussianProcess({ respacing: '10' })
  expect(() => process.path({ numSteps: 10, spacing: 'linspace' })).toThrow(
    'spacedPath: numSteps must be below 10 with linspace, which counts the step to no noise as one more; trailing takes 10 (got 10)',
  )
  expect(process.path({ numSteps: 10 }).steps).toHaveLength(10)
})
