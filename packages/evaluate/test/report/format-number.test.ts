import { expect, test } from 'vitest'
import { formatInterval, formatMeasure, formatPercent, formatShare } from '../../src/report/format-number.js'

test('a value has digits to the second of its interval’s half-width', () => {
  expect(formatMeasure(12.3456, { low: 11, high: 13 })).toBe('12.3')
  expect(formatMeasure(0.023172, { low: 0.0205, high: 0.0261 })).toBe('0.0232')
  expect(formatMeasure(1234.5, { low: 1000, high: 1500 })).toBe('1,235')
  expect(formatMeasure(-0.00004, { low: -0.0006, high: 0.0007 })).toBe('−0.00004')
  expect(formatInterval({ low: 11, high: 13.04 })).toBe('11.0 to 13.0')
})

test('a value without an interval has three digits', () => {
  expect([0.123456, 12.3456, 123456, 0, -0.5].map((value) => formatMeasure(value))).toEqual([
    '0.123',
    '12.3',
    '123,456',
    '0',
    '−0.500',
  ])
})

test('very small numbers become powers of ten, and an interval of no width adds no digits', () => {
  expect(formatMeasure(0.0000123)).toBe('1.23e-5')
  expect(formatMeasure(0.5, { low: 0.5, high: 0.5 })).toBe('0.500')
  expect(formatMeasure(0.5, { low: 0.5, high: 0.5 + 1e-12 })).toBe('0.500000')
})

test('what JSON holds in place of a number that is not finite is said to be none', () => {
  expect(formatMeasure(null as unknown as number)).toBe('no number')
  expect(formatMeasure(NaN)).toBe('no number')
  expect(formatShare(null as unknown as number)).toBe('no number')
})

test('shares and levels are in percent', () => {
  expect([0, 0.0342, 1].map(formatShare)).toEqual(['0.0 %', '3.4 %', '100.0 %'])
  expect([0.95, 0.9, 0.999].map(formatPercent)).toEqual(['95 %', '90 %', '99.9 %'])
})
