import { expect, test } from 'vitest'
import {
  diffusionTables,
  namedBetas,
  type Path,
  spacedPath,
  type Spacing,
  SPACINGS,
  zeroTerminalSnr,
} from '../src/index.js'

const { alphaBar } = diffusionTables(namedBetas('linear', 1000))
const levelsOf = ({ steps }: Path) => [steps[0].from, ...steps.map(({ to }) => to)]
const timestepsOf = (path: Path) => path.steps.map(({ from }) => from.timestep)

test.each([
  ['leading', 'ddim', [750, 500, 250, 0]],
  ['leading', 'dpm', [800, 600, 400, 200]],
  ['linspace', 'ddim', [999, 666, 333, 0]],
  ['linspace', 'dpm', [999, 749, 500, 250]],
  ['trailing', 'ddim', [999, 749, 499, 249]],
  ['trailing', 'dpm', [999, 749, 499, 249]],
] as const)('%s takes the timesteps of %s', (spacing, rule, timesteps) => {
  const path = spacedPath(alphaBar, { numSteps: 4, spacing, rule })
  expect(timestepsOf(path)).toEqual(timesteps)
  for (const { from } of path.steps) {
    expect(from.alpha).toBe(Math.sqrt(alphaBar[from.timestep]))
    expect(from.sigma).toBe(Math.sqrt(1 - alphaBar[from.timestep]))
  }
})

test.each(['karras', 'exponential', 'beta'] as const)('%s spans the sigmas of the whole process', (spacing) => {
  const path = spacedPath(alphaBar, { numSteps: 5, spacing })
  const sigmas = path.steps.map(({ from }) => from.sigma / from.alpha)
  expect(sigmas[0]).toBeCloseTo(Math.sqrt(1 / alphaBar[999] - 1), 8)
  expect(sigmas[4]).toBeCloseTo(Math.sqrt(1 / alphaBar[0] - 1), 8)
  expect(timestepsOf(path)[0]).toBeCloseTo(999, 8)
  expect(timestepsOf(path)[4]).toBeCloseTo(0, 8)
  // Equal steps of log sigma, or of sigma^(1 / 7): the middle one lies halfway.
  const middle = {
    exponential: Math.sqrt(sigmas[0] * sigmas[4]),
    karras: ((sigmas[0] ** (1 / 7) + sigmas[4] ** (1 / 7)) / 2) ** 7,
    beta: (sigmas[0] + sigmas[4]) / 2,
  }[spacing]
  expect(sigmas[2]).toBeCloseTo(middle, 6)
})

test.each(SPACINGS)('%s falls to no noise, and keeps the variance', (spacing) => {
  for (const rule of ['ddim', 'dpm'] as const) {
    for (const numSteps of [1, 2, 17, 500]) {
      const levels = levelsOf(spacedPath(alphaBar, { numSteps, spacing, rule }))
      expect(levels).toHaveLength(numSteps + 1)
      expect(levels.at(-1)).toEqual({ alpha: 1, sigma: 0, timestep: 0 })
      for (const { alpha, sigma } of levels) expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 12)
      expect(levels.slice(1).every(({ sigma }, i) => sigma < levels[i].sigma)).toBe(true)
    }
  }
})

test('a respaced process tells the network its own timesteps, between them too', () => {
  const shares = Float64Array.of(0.9, 0.5, 0.1)
  const timestepMap = [0, 500, 999]
  const path = (spacing: 'trailing' | 'exponential') => spacedPath(shares, { numSteps: 3, spacing, timestepMap })
  expect(timestepsOf(path('trailing'))).toEqual([999, 500, 0])
  // sigma runs from 1 / 3 to 3, so that halfway in log sigma is 1, which is timestep 1.
  expect(timestepsOf(path('exponential'))[1]).toBeCloseTo(500, 8)
})

test('says what cannot be', () => {
  const path = (spacing: string, numSteps: number, rule?: 'dpm', shares = alphaBar) =>
    spacedPath(shares, { numSteps, spacing: spacing as Spacing, rule })
  expect(() => path('even', 4)).toThrow(
    'spacedPath: spacing must be one of leading, linspace, trailing, karras, exponential, beta (got even)',
  )
  expect(() => path('trailing', 1001)).toThrow('numSteps must be an integer in 1..1000 (got 1001)')
  expect(() => path('linspace', 1000, 'dpm')).toThrow(
    'spacedPath: numSteps must be below 1000 with linspace, which counts the step to no noise as one more; trailing takes 1000 (got 1000)',
  )
  expect(() => path('karras', 0)).toThrow('karrasSigmas: numSteps must be a positive integer (got 0)')
  const empty = diffusionTables(zeroTerminalSnr(namedBetas('linear', 1000))).alphaBar
  expect(() => path('karras', 4, undefined, empty)).toThrow(
    'spacedPath: karras spreads sigmas, but this process ends without signal, where sigma is infinite; take leading, linspace or trailing',
  )
  expect(() => path('beta', 1, undefined, Float64Array.of(0.5))).toThrow(
    'spacedPath: beta needs a process of two timesteps or more (got 1)',
  )
})
