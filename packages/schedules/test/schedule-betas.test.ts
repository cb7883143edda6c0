import { expect, test } from 'vitest'
import { diffusionTables, directBetas, namedBetas, scheduleBetas, SCHEDULES } from '../src/index.js'

test('without ends, the named schedules are those of namedBetas', () => {
  expect(scheduleBetas('linear', 50)).toEqual(namedBetas('linear', 50))
  expect(scheduleBetas('squaredcos_cap_v2', 50)).toEqual(namedBetas('squaredcos_cap_v2', 50))
})

test('with an end, linear is not scaled with the number of steps', () => {
  const options = { numTimesteps: 50, betaStart: 0.0001, betaEnd: 0.3 }
  expect(scheduleBetas('linear', 50, { betaEnd: 0.3 })).toEqual(directBetas('linear', options))
})

test('the other schedules have the ends of Ho et al., scaled_linear those of Stable Diffusion', () => {
  expect(scheduleBetas('quad', 10)[9]).toBeCloseTo(0.02, 15)
  const betas = scheduleBetas('scaled_linear', 10)
  expect([betas[0], betas[9]]).toEqual([expect.closeTo(0.00085, 15), expect.closeTo(0.012, 15)])
  expect(scheduleBetas('const', 3, { betaEnd: 0.1 })).toEqual(Float64Array.of(0.1, 0.1, 0.1))
})

test('every name gives betas of a process', () => {
  for (const name of SCHEDULES) {
    const { alphaBar } = diffusionTables(scheduleBetas(name, 40))
    expect(alphaBar.every((value, i) => value < (alphaBar[i - 1] ?? 1))).toBe(true)
  }
})

test('names what is wrong', () => {
  expect(() => scheduleBetas('cosine' as 'linear', 10)).toThrow(
    'scheduleBetas: the schedule must be one of linear, squaredcos_cap_v2, scaled_linear, quad, sigmoid, const, jsd, warmup10, warmup50 (got cosine)',
  )
  expect(() => scheduleBetas('squaredcos_cap_v2', 10, { betaEnd: 0.1 })).toThrow(
    'scheduleBetas: squaredcos_cap_v2 has no betaEnd; leave it out',
  )
  expect(() => scheduleBetas('const', 10, { betaStart: 0.1 })).toThrow('const has no betaStart')
  expect(() => scheduleBetas('quad', 10, { betaEnd: Number.NaN })).toThrow('betas must lie in (0, 1]')
  expect(() => scheduleBetas('linear', 10, { betaStart: -1 })).toThrow('betas[0] of 10 is -1')
})
