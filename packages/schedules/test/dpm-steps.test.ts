import { diffusionTables, dpmSteps, namedBetas } from '@dit/schedules'
import { expect, test } from 'vitest'

test('says how many steps there is room for', () => {
  const options = { alphaBar: gaussianAlphaBar(10), numSteps: 10 } as const
  expect(() => dpmSteps({ ...options, spacing: 'linspace' })).toThrow(
    /dpmSteps: numSteps must be below 10 with linspace .* \(got 10\)/,
  )
  expect(dpmSteps({ ...options, spacing: 'trailing' }).timesteps).toHaveLength(10)
})

test('refuses a schedule that ends without signal, with the reason', () => {
  const { alphaBar } = diffusionTables(namedBetas('linear', 20))
  expect(() => dpmSteps({ alphaBar, numSteps: 5, spacing: 'linspace' })).toThrow(
    'dpmSteps: alphaBar must be above 0, or sigma is infinite (it is 0 at timestep 19 of 20; the linear schedule needs 21 or more)',
  )
})

function gaussianAlphaBar(numTimesteps: number): Float64Array {
  return Float64Array.from({ length: numTimesteps }, (_, i) => 0.9 ** (i + 1))
}
