import { expect, test } from 'vitest'
import { evenTicks, powerOfTen, powerTicks } from '../../src/figures/plot.js'

test('marks at powers of ten carry raised exponents', () => {
  expect(powerTicks(1e-2, 1e2, 2)).toEqual([
    { at: 1e-2, text: '10⁻²' },
    { at: 1, text: '10⁰' },
    { at: 100, text: '10²' },
  ])
  expect(powerOfTen(21)).toBe('10²¹')
})

test('even marks include both ends, with a real minus', () => {
  expect(evenTicks(-2, 2, 2, 1).map(({ text }) => text)).toEqual(['−2.0', '0.0', '2.0'])
})
