import { expect, test } from 'vitest'
import {
  diffusionCoefficient,
  type DiffusionForm,
  diffusionTables,
  diffusivity,
  flowLevel,
  levelAtSnr,
  namedBetas,
} from '../../src/index.js'

const at = (t: number, form: DiffusionForm, norm = 1) => diffusionCoefficient(flowLevel(t), { form, norm })

test('each form has its value by hand on the straight path', () => {
  expect(at(0.25, 'constant', 0.3)).toBe(0.3)
  expect(at(0.25, 'sbdm')).toBeCloseTo(1 / 3, 15)
  expect(at(0.25, 'sigma', 2)).toBe(0.5)
  expect(at(0.25, 'linear', 2)).toBe(0.5)
  expect(at(0.5, 'decreasing')).toBeCloseTo(0.25, 15)
  expect(at(0.25, 'increasingDecreasing')).toBeCloseTo(0.5, 15)
})

test('decreasing falls from 1 at the noise to 0 at the data', () => {
  expect([at(1, 'decreasing'), at(0, 'decreasing')]).toEqual([1, 0])
})

test('sbdm is infinite at pure noise, but half the rate on vp', () => {
  expect(at(1, 'sbdm')).toBe(Infinity)
  expect(diffusionCoefficient(flowLevel(1, { interpolant: 'vp' }))).toBe(10)
})

test('diffusivity is worked out where a level does not bring it', () => {
  const { diffusivity: own, ...level } = flowLevel(0.3, { interpolant: 'gvp' })
  expect(diffusivity(level)).toBeCloseTo(own!, 14)
})

test('refuses unknown forms, negative norms and levels that lack what is needed', () => {
  const bare = levelAtSnr(diffusionTables(namedBetas('linear', 1000)), 1)
  expect(() => at(0.5, 'rising' as 'linear')).toThrow(
    'diffusionCoefficient: form must be one of constant, sbdm, sigma, linear, decreasing, increasingDecreasing (got rising)',
  )
  expect(() => at(0.5, 'sigma', -1)).toThrow('norm must be finite, 0 or more (got -1)')
  expect(() => diffusionCoefficient(bare, { form: 'linear' })).toThrow('form linear needs the t of the level')
  expect(() => diffusionCoefficient(bare)).toThrow('diffusivity: it needs dAlpha and dSigma of the level')
})
