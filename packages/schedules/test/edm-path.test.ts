import { expect, test } from 'vitest'
import { edmPath, type EdmPathOptions } from '../src/index.js'

const sigmasOf = (options: EdmPathOptions) => {
  const { steps } = edmPath(options)
  return [steps[0].from, ...steps.map(({ to }) => to)].map(({ sigma }) => sigma)
}

test('goes from sigmaMax to sigmaMin in equal steps of sigma^(1 / rho), and then to 0', () => {
  const sigmas = sigmasOf({ numSteps: 3, sigmaMin: 1, sigmaMax: 9, rho: 2 })
  expect(sigmas.map((sigma) => Number(sigma.toFixed(12)))).toEqual([9, 4, 1, 0])
  expect(sigmasOf({ numSteps: 3, sigmaMin: 1, sigmaMax: 9, rho: 1 })).toEqual([9, 5, 1, 0])
})

test('has the range of the paper by default, and sigmaMax alone for one step', () => {
  const sigmas = sigmasOf({ numSteps: 18 })
  expect([sigmas[0], sigmas[17], sigmas[18]]).toEqual([expect.closeTo(80, 10), 0.002, 0])
  expect(sigmasOf({ numSteps: 1, sigmaMax: 1 })).toEqual([1, 0])
})

test('the path adds noise to data, starts at the first sigma and tells sigma', () => {
  const path = edmPath({ numSteps: 2, sigmaMin: 1, sigmaMax: 4, rho: 1 })
  expect(path.steps).toEqual([
    { from: { alpha: 1, sigma: 4, timestep: 4 }, to: { alpha: 1, sigma: 1, timestep: 1 } },
    { from: { alpha: 1, sigma: 1, timestep: 1 }, to: { alpha: 1, sigma: 0, timestep: 0 } },
  ])
  expect(path.startScale).toBe(4)
})

test('takes the levels and timesteps of the network', () => {
  const path = edmPath({
    numSteps: 2,
    sigmaMin: 1.2,
    sigmaMax: 4.4,
    rho: 1,
    nearest: Math.round,
    timestep: (s) => 10 * s,
  })
  expect(path.steps.map(({ to }) => to.timestep)).toEqual([10, 0])
  expect(path.atSigma!(2.3)).toEqual({ alpha: 1, sigma: 2, timestep: 20 })
})

test('names what is wrong', () => {
  expect(() => edmPath({ numSteps: 0 })).toThrow('karrasSigmas: numSteps must be a positive integer (got 0)')
  expect(() => edmPath({ numSteps: 2, rho: 0 })).toThrow('karrasSigmas: rho must be a positive number (got 0)')
  expect(() => edmPath({ numSteps: 2, sigmaMin: 2, sigmaMax: 1 })).toThrow(
    'karrasSigmas: sigmas must be finite and above 0, sigmaMin not above sigmaMax (got 2 to 1)',
  )
})
