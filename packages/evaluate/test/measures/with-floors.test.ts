import { expect, test } from 'vitest'
import type { MeasureName } from '../../src/index.js'
import { resultOf } from '../../src/measures/with-floors.js'

const wide = { low: -0.01, high: 1.02, standardError: 0.3 }
const one = { value: 0.5, interval: wide, counts: { real: 9, generated: 9 }, warnings: [] }

test.each<[MeasureName, number, number]>([
  ['precision', 0, 1],
  ['authenticity', 0, 1],
  ['density', 0, 1.02],
  ['frechet', 0, 1.02],
  ['vendi', 1, 1.02],
  ['kid', -0.01, 1.02],
])('an interval of %s ends where the measure does', (name, low, high) => {
  const { interval, floor } = resultOf(name, one, one, one, { isFid: false, isClip: false })
  expect(interval).toMatchObject({ low, high })
  expect(floor!.interval).toMatchObject({ low, high })
})
