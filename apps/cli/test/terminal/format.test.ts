import { expect, test } from 'vitest'
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatRough,
  formatQuantity,
  formatShare,
  formatTable,
} from '../../src/terminal/format.js'

test('numbers are short and readable', () => {
  expect([0, 0.0123456, 1e-4, 1.234e-8, 99999, 123456, NaN].map(formatNumber)).toEqual([
    '0',
    '0.01235',
    '1e-4',
    '1.23e-8',
    '100000',
    '1.23e5',
    'NaN',
  ])
  expect(formatCount(1234567)).toBe('1,234,567')
  expect([9999, 6.056e9, 118_640_000].map(formatQuantity)).toEqual(['9,999', '6.056 G', '118.6 M'])
  expect([1023, 1536, 245_000_000].map(formatBytes)).toEqual(['1023 B', '1.5 KiB', '233.7 MiB'])
  expect([-1, 0, 92, 3700].map(formatDuration)).toEqual(['0:00', '0:00', '1:32', '1:01:40'])
  expect(formatShare(0.956)).toBe('95.6 %')
})

test('columns line up, to the right where asked', () => {
  expect(
    formatTable(
      [
        ['a', '1'],
        ['long', '20'],
      ],
      [false, true],
    ),
  ).toEqual(['a      1', 'long  20'])
})

test('rough times have two digits and one unit', () => {
  expect([0.0004, 0.0648, 0.0996, 0.24, 9.4, 42.3, 92, 700, 9000, 400_000].map(formatRough)).toEqual([
    '0.4 ms',
    '65 ms',
    '0.1 s',
    '0.24 s',
    '9.4 s',
    '42 s',
    '1.5 min',
    '12 min',
    '2.5 h',
    '4.6 days',
  ])
})
