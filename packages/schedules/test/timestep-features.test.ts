import { expect, test } from 'vitest'
import { timestepFeatures } from '../src/index.js'
import { fixture } from './fixture.js'

test.each(['timestep-d8-p10000-int', 'timestep-d7-p10000-int', 'timestep-d3-p100-frac'])(
  'matches the reference: %s',
  (name) => {
    const { config, data, excess } = fixture(name)
    expect(excess('emb', timestepFeatures(data['in.t'], config.dim, config.max_period))).toBeLessThanOrEqual(1)
  },
)

test('cosines come before sines, over frequencies 1 and 1/100', () => {
  const features = timestepFeatures([0, 0.5, 999], 4)
  const rows = [0, 0.5, 999].flatMap((t) => [Math.cos(t), Math.cos(t / 100), Math.sin(t), Math.sin(t / 100)])
  // rounded to float32; 999 / 100 carries the float64 rounding of the frequency, below that of float32
  rows.forEach((value, i) => expect(Math.abs(features[i] - value)).toBeLessThan(2 ** -24))
})

test('an odd width ends in a zero column', () => {
  const features = timestepFeatures([5, 6], 5)
  expect(features.length).toBe(10)
  expect([features[4], features[9]]).toEqual([0, 0])
  const even = timestepFeatures([5, 6], 4)
  expect([...features.subarray(0, 4), ...features.subarray(5, 9)]).toEqual([...even])
})

test('cosines and sines of one frequency have length 1', () => {
  const features = timestepFeatures([-3, 77.25], 32)
  for (let b = 0; b < 2; b++) {
    for (let i = 0; i < 16; i++) expect(Math.hypot(features[32 * b + i], features[32 * b + 16 + i])).toBeCloseTo(1, 6)
  }
})

test('an empty batch gives no features', () => {
  expect(timestepFeatures([], 256).length).toBe(0)
})

test('says what is wrong', () => {
  expect(() => timestepFeatures([1], 1)).toThrow('timestepFeatures: width must be an integer of at least 2 (got 1)')
  expect(() => timestepFeatures([1], 2.5)).toThrow('(got 2.5)')
  expect(() => timestepFeatures([1], 4, 0)).toThrow('timestepFeatures: maxPeriod must be a positive number (got 0)')
  expect(() => timestepFeatures([1, Number.NaN], 4)).toThrow('timesteps must be finite (timesteps[1] is NaN)')
})

test('a shift of 1 makes the slowest frequency 1 / maxPeriod itself', () => {
  const features = timestepFeatures([100], 4, 10000, 1)
  expect([...features]).toEqual([Math.cos(100), Math.cos(0.01), Math.sin(100), Math.sin(0.01)].map(Math.fround))
  expect(() => timestepFeatures([1], 4, 10000, 2)).toThrow('frequencyShift must be in [0, 2) (got 2)')
  expect(() => timestepFeatures([1], 4, 10000, -1)).toThrow('(got -1)')
})
