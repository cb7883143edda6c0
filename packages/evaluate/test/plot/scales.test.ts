import { expect, test } from 'vitest'
import { chooseScale, logTicks, stepAxis, valueAxis } from '../../src/plot/scales.js'

test('a log scale is chosen only for positive values that span a large factor', () => {
  expect(chooseScale([1, 0.5, 0.05])).toBe('log')
  expect(chooseScale([1, 0.5, 0.2])).toBe('linear')
  expect(chooseScale([1, 0.01, 0])).toBe('linear')
  expect(chooseScale([1, 0.01, -1])).toBe('linear')
  expect(chooseScale([])).toBe('linear')
})

test('log ticks are 1, 2 and 5 times powers of ten, and powers alone over many decades', () => {
  expect(logTicks([0.03, 1.2])).toEqual([0.05, 0.1, 0.2, 0.5, 1])
  expect(logTicks([1e-5, 10])).toEqual([1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10])
})

test('a log axis that spans less than a factor of about five has equal steps', () => {
  expect(logTicks([0.031, 0.082])).toEqual([0.04, 0.05, 0.06, 0.07, 0.08])
  expect(logTicks([3, 4])).toEqual([3, 3.2, 3.4, 3.6, 3.8, 4])
})

test('axes hold every value, the low end at the first pixel of the range', () => {
  const log = valueAxis([0.04, 1], 'log', [400, 0])
  expect(log.scale(0.04)).toBeLessThan(400)
  expect(log.scale(1)).toBeGreaterThan(0)
  expect(log.scale(Math.sqrt(0.04))).toBeCloseTo(200, 6)
  const linear = valueAxis([0.2, 0.9], 'linear', [400, 0])
  expect(linear.scale(0)).toBe(400)
  expect(linear.scale(1)).toBe(0)
  expect(linear.ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
})

test('a flat curve and a run of one step have axes too', () => {
  expect(valueAxis([0, 0], 'linear', [100, 0]).ticks.length).toBeGreaterThan(1)
  expect(valueAxis([2, 2], 'log', [100, 0]).scale(2)).toBeCloseTo(50, 6)
  expect(stepAxis(1, [0, 10]).ticks).toEqual([0, 1])
})

test('numbers of ticks are plain, or powers where they would be long', () => {
  const plain = valueAxis([0, 0.0015], 'linear', [1, 0])
  expect(plain.ticks.map((tick) => plain.text(tick))).toEqual(['0', '0.0005', '0.001', '0.0015', '0.002'])
  const small = valueAxis([0, 4e-6], 'linear', [1, 0])
  expect(small.ticks.map((tick) => small.text(tick))).toEqual(['0', '1e-6', '2e-6', '3e-6', '4e-6'])
})
