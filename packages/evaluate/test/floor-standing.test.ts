import { expect, test } from 'vitest'
import { floorStanding, hasRatio } from '../src/floor-standing.js'
import { measureOf } from './report/example-evaluation.js'

const counts = { real: 100, generated: 100 }
const range = (low: number, high: number) => ({ low, high, standardError: 1 })
const floor = { value: 2, interval: range(1, 3), counts, matched: 10 }
const distance = measureOf({ better: 'less', value: 10, interval: range(8, 12), floor })

test('a distance is short of the floor above its interval, and beyond it below', () => {
  expect(floorStanding(distance)).toBe('short')
  expect(floorStanding({ ...distance, interval: range(3, 12) })).toBe('at')
  expect(floorStanding({ ...distance, value: 0.5, interval: range(0.4, 0.6), floor: { ...floor, matched: 0.5 } })).toBe(
    'beyond',
  )
})

test('more is better the other way round', () => {
  expect(floorStanding({ ...distance, better: 'more' })).toBe('beyond')
  expect(
    floorStanding({ ...distance, better: 'more', value: 0.5, interval: null, floor: { ...floor, matched: 0.5 } }),
  ).toBe('short')
})

test('the value with as many samples as the floor has is compared, with the interval around it', () => {
  // As many samples have 4 in [2, 6], which meets [1, 3]; 6 in [4, 8] does not.
  expect(floorStanding({ ...distance, floor: { ...floor, matched: 4 } })).toBe('at')
  expect(floorStanding({ ...distance, floor: { ...floor, matched: 6 } })).toBe('short')
})

test('nothing is said without a floor or a number', () => {
  expect(floorStanding({ ...distance, floor: null })).toBeNull()
  expect(floorStanding({ ...distance, value: NaN })).toBeNull()
  expect(floorStanding({ ...distance, floor: { ...floor, matched: null as unknown as number } })).toBeNull()
})

test('a ratio needs a floor that can be told from 0', () => {
  expect(hasRatio(floor)).toBe(true)
  expect(hasRatio({ ...floor, interval: range(-0.1, 3) })).toBe(false)
  expect(hasRatio({ ...floor, value: 0, interval: null })).toBe(false)
})
