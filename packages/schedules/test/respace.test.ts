import { expect, test } from 'vitest'
import { diffusionTables, namedBetas, respace, spaceTimesteps } from '../src/index.js'
import { fixture } from './fixture.js'

test.each(['linear-100-20', 'linear-1000-10_15_20', 'linear-1000-7', 'squaredcos_cap_v2-1000-10'])(
  'matches the reference: %s',
  (name) => {
    const { config, excess } = fixture(name)
    const kept = spaceTimesteps(config.diffusion_steps, config.respacing)
    const { tables, timestepMap } = respace(namedBetas(config.schedule, config.diffusion_steps), kept)
    expect(excess('use_timesteps', kept)).toBe(0)
    expect(excess('timestep_map', timestepMap)).toBe(0)
    expect(excess('betas', tables.betas)).toBeLessThanOrEqual(1)
    expect(excess('alphas_cumprod', tables.alphaBar)).toBeLessThanOrEqual(1)
    expect(excess('posterior_log_variance_clipped', tables.posteriorLogVarianceClipped)).toBeLessThanOrEqual(1)
  },
)

test('gives the betas worked by hand', () => {
  // alphaBar is 1/2, 1/4, 1/8; from 1 to 1/2 and from 1/2 to 1/8
  const { tables, timestepMap } = respace([0.5, 0.5, 0.5], [0, 2])
  expect([...tables.betas]).toEqual([0.5, 0.75])
  expect([...timestepMap]).toEqual([0, 2])
})

test('passes through the noise levels of the original', () => {
  const betas = namedBetas('linear', 200)
  const { tables, timestepMap } = respace(betas, [3, 50, 199])
  const { alphaBar } = diffusionTables(betas)
  // 1 - beta of a beta near 1 has lost about four digits
  tables.alphaBar.forEach((value, i) => expect(value / alphaBar[timestepMap[i]]).toBeCloseTo(1, 11))
})

test('keeps a single timestep', () => {
  const { tables } = respace(namedBetas('linear', 100), [99])
  expect(tables.numTimesteps).toBe(1)
  expect(tables.alphaBar[0]).toBeCloseTo(diffusionTables(namedBetas('linear', 100)).alphaBar[99], 15)
})

test('says what is wrong', () => {
  const betas = [0.1, 0.2, 0.3]
  expect(() => respace(betas, [])).toThrow('respace: at least one timestep must be kept (got none)')
  expect(() => respace(betas, [0, 3])).toThrow('respace: kept timesteps must be integers in 0 .. 2 (got 3)')
  expect(() => respace(betas, [0.5])).toThrow('(got 0.5)')
  expect(() => respace(betas, [2, 0])).toThrow('respace: kept timesteps must rise (got 0 after 2)')
  expect(() => respace(betas, [1, 1])).toThrow(RangeError)
  expect(() => respace([2], [0])).toThrow('respace: betas must lie in (0, 1]')
})
