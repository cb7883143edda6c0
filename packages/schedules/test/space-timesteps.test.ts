import { expect, test } from 'vitest'
import { type Respacing, spaceTimesteps } from '../src/index.js'
import { fixture } from './fixture.js'

const { facts } = fixture('space-timesteps')

test.each(facts.filter(({ steps }) => steps))(
  'keeps what the reference keeps: $num_timesteps by "$spec"',
  ({ num_timesteps, spec, steps }) => {
    expect([...spaceTimesteps(num_timesteps, spec)]).toEqual(steps)
  },
)

test.each(facts.filter(({ error }) => error))(
  'refuses what the reference refuses: $num_timesteps by "$spec"',
  ({ num_timesteps, spec }) => {
    expect(() => spaceTimesteps(num_timesteps, spec)).toThrow(RangeError)
  },
)

test('sums the position in float64 and rounds halves to even', () => {
  expect([...spaceTimesteps(1000, '7')]).toEqual([0, 166, 333, 500, 666, 832, 999]) // 166.5 goes down, 499.5 up
  expect(spaceTimesteps(1000, '21')[10]).toBe(499) // 10 * 49.95 is 499.5, the sum a little less
})

test('keeps all for an empty string and for null', () => {
  for (const respacing of ['', null]) expect([...spaceTimesteps(4, respacing)]).toEqual([0, 1, 2, 3])
})

test('takes counts as a list too', () => {
  expect(spaceTimesteps(300, [10, 15, 20])).toEqual(spaceTimesteps(300, '10,15,20'))
  expect(spaceTimesteps(300, '10, 15, 20')).toEqual(spaceTimesteps(300, '10,15,20'))
})

test('any single count of at least 2 rises from the first to the last timestep', () => {
  for (let count = 2; count <= 200; count++) {
    const kept = spaceTimesteps(200, [count])
    expect(kept.length).toBe(count)
    expect(kept[0]).toBe(0)
    expect(kept.at(-1)).toBe(199)
    expect(kept.every((timestep, i) => i === 0 || timestep > kept[i - 1])).toBe(true)
  }
})

test.each<[Respacing, string]>([
  ['1001', 'spaceTimesteps: section 0 has 1000 timesteps, too few to keep 1001'],
  ['ddim300', 'spaceTimesteps: no integer stride keeps exactly 300 of 1000 timesteps'],
  ['fast', "spaceTimesteps: respacing must be counts as '10,15,20' or 'ddimN' (got 'fast')"],
  ['10,', "(got '10,')"],
  ['ddim', "(got 'ddim')"],
  ['-5', "(got '-5')"],
  [[1.5], 'spaceTimesteps: counts must be non-negative integers (got 1.5)'],
])('refuses %j', (respacing, text) => {
  expect(() => spaceTimesteps(1000, respacing)).toThrow(text)
})

test('refuses a count of timesteps that is none', () => {
  expect(() => spaceTimesteps(0, '')).toThrow('spaceTimesteps: numTimesteps must be a positive integer (got 0)')
})
