import { expect, test } from 'vitest'
import { diffusionTables, namedBetas, type NamedSchedule } from '../src/index.js'
import { fixture } from './fixture.js'

test('linear runs from 1e-4 to 0.02 over 1000 steps', () => {
  const betas = namedBetas('linear', 1000)
  expect(betas.length).toBe(1000)
  expect(betas[0]).toBe(0.0001)
  expect(betas[999]).toBe(0.02)
  expect(betas[333]).toBeCloseTo(0.0001 + 0.0199 / 3, 15)
})

test('linear scales both ends with 1000 / T, so that the last alphaBar hardly moves', () => {
  const betas = namedBetas('linear', 50)
  expect(betas[0]).toBeCloseTo(0.002, 15)
  expect(betas[49]).toBeCloseTo(0.4, 15)
  expect(namedBetas('linear', 20)[19]).toBe(1)
})

test('two cosine steps: by the double angle 2 cos^2 x = 1 + cos 2x, then the cap', () => {
  const ratio = (1 + Math.cos((Math.PI * 0.508) / 1.008)) / (1 + Math.cos((Math.PI * 0.008) / 1.008))
  const [first, last] = namedBetas('squaredcos_cap_v2', 2)
  expect(first).toBeCloseTo(1 - ratio, 14)
  expect(last).toBe(0.999)
})

test('gives the alphaBar values that the reference reports for 1000 steps', () => {
  expect(diffusionTables(namedBetas('linear', 1000)).alphaBar[999]).toBeCloseTo(4.0358e-5, 9)
  expect(diffusionTables(namedBetas('squaredcos_cap_v2', 1000)).alphaBar[999]).toBeCloseTo(2.4288e-9, 13)
})

const { facts } = fixture('errors')
const accepted = facts.filter(({ result }) => result === 'ok')
const refused = facts.filter(({ result }) => result !== 'ok')

test.each(accepted)('accepts what the reference does: $schedule over $num_timesteps', ({ schedule, num_timesteps }) => {
  expect(diffusionTables(namedBetas(schedule as NamedSchedule, num_timesteps)).numTimesteps).toBe(num_timesteps)
})

test.each(refused)('refuses what the reference does: $schedule over $num_timesteps', ({ schedule, num_timesteps }) => {
  expect(() => namedBetas(schedule as NamedSchedule, num_timesteps)).toThrow(RangeError)
})

test('says what is wrong', () => {
  expect(() => namedBetas('linear', 19)).toThrow(/betas\[18\] of 19 is 1\.05.*; linear needs at least 20 steps/)
  expect(() => namedBetas('cosine' as NamedSchedule, 10)).toThrow(
    'namedBetas: the schedule must be linear or squaredcos_cap_v2 (got cosine)',
  )
  expect(() => namedBetas('linear', 0)).toThrow('namedBetas: numTimesteps must be a positive integer (got 0)')
  expect(() => namedBetas('linear', 99.5)).toThrow(RangeError)
})
