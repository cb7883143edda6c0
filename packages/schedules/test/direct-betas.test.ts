import { expect, test } from 'vitest'
import { directBetas, type DirectSchedule } from '../src/index.js'
import { fixture } from './fixture.js'

const make = (name: DirectSchedule, numTimesteps: number, betaStart = 0.01, betaEnd = 0.09) => [
  ...directBetas(name, { numTimesteps, betaStart, betaEnd }),
]

const BY_HAND: [DirectSchedule, number[]][] = [
  ['linear', [0.01, 0.03, 0.05, 0.07, 0.09]],
  ['quad', [0.01, 0.0225, 0.04, 0.0625, 0.09]], // squares of 0.1, 0.15, ..., 0.3
  ['const', [0.09, 0.09, 0.09, 0.09, 0.09]],
  ['jsd', [1 / 5, 1 / 4, 1 / 3, 1 / 2, 1]],
  ['warmup10', [0.09, 0.09, 0.09, 0.09, 0.09]], // floor(0.5) = 0 steps of warm-up
  ['warmup50', [0.01, 0.09, 0.09, 0.09, 0.09]], // floor(2.5) = 2 steps
]

test.each(BY_HAND)('%s gives the values worked by hand', (name, values) => {
  make(name, 5).forEach((beta, i) => expect(beta).toBeCloseTo(values[i], 15))
})

test('warmup10 rises over a tenth of the steps', () => {
  const betas = make('warmup10', 40)
  const rise = [0.01, 0.01 + 0.08 / 3, 0.01 + 0.16 / 3, 0.09, 0.09]
  rise.forEach((beta, i) => expect(betas[i]).toBeCloseTo(beta, 15))
  expect(betas.slice(4).every((beta) => beta === 0.09)).toBe(true)
})

test('scaled_linear is quad under its other name', () => {
  expect(make('scaled_linear', 1000, 0.00085, 0.012)).toEqual(make('quad', 1000, 0.00085, 0.012))
})

test('sigmoid is halfway in the middle and symmetric about it', () => {
  const betas = make('sigmoid', 7)
  expect(betas[3]).toBeCloseTo(0.05, 15)
  for (let i = 0; i < 3; i++) expect(betas[i] + betas[6 - i]).toBeCloseTo(0.1, 15)
  expect(betas[0]).toBeCloseTo(0.01 + 0.08 / (1 + Math.exp(6)), 15)
})

test('a single step takes the first value', () => {
  expect(make('linear', 1)).toEqual([0.01])
  expect(make('jsd', 1)).toEqual([1])
})

test('jsd matches the reference', () => {
  const { config, excess } = fixture('direct-jsd-100')
  expect(excess('betas', make('jsd', config.num_timesteps))).toBeLessThanOrEqual(1)
})

test('says what is wrong', () => {
  expect(() => make('linear', 3, 0.5, 1.5)).toThrow('directBetas: betas must lie in (0, 1] (betas[2] of 3 is 1.5)')
  expect(() => make('linear', 3, 0, 0.1)).toThrow('(betas[0] of 3 is 0)')
  expect(() => make('quad', 3, -1, 0.1)).toThrow('(betas[0] of 3 is NaN)')
  expect(() => make('cubic' as DirectSchedule, 3)).toThrow(/^directBetas: the schedule must be quad, .* \(got cubic\)$/)
  expect(() => make('linear', -1)).toThrow('directBetas: numTimesteps must be a positive integer (got -1)')
})
