import { normals, randomStream } from '@dit/random'
import { expect, test } from 'vitest'
import { bootstrapInterval } from '../src/bootstrap.js'

const meanOf = (values: ArrayLike<number>) => (rows: Int32Array) =>
  rows.reduce((sum, row) => sum + values[row], 0) / rows.length

test('of a mean: its standard error is that of the samples, its interval holds about 1.96 of them', () => {
  const values = normals(randomStream(0), 400)
  const mean = meanOf(values)(Int32Array.from(values.keys()))
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 400)
  const got = bootstrapInterval(meanOf(values), { counts: [400], numResamples: 2000 })
  expect(got.value).toBe(mean)
  // 2000 resamples: the standard error is known to 1 / sqrt(4000) of it; 0.05 is three times that.
  expect(got.standardError / (deviation / 20)).toBeCloseTo(1, 1)
  expect((got.high - got.low) / (2 * 1.96 * (deviation / 20))).toBeCloseTo(1, 1)
  expect(got.low).toBeLessThan(mean)
  expect(got.high).toBeGreaterThan(mean)
})

test('quantiles are interpolated linearly between resamples', () => {
  let next = 0
  const got = bootstrapInterval(() => next++, { counts: [1], numResamples: 5, level: 0.5 })
  // The value is 0 and the resamples are 1 .. 5: their quarters lie at 2 and 4.
  expect(got).toMatchObject({ value: 0, low: 2, high: 4 })
  next = 0
  expect(bootstrapInterval(() => next++, { counts: [1], numResamples: 4, level: 0.8 }).low).toBeCloseTo(1.3, 14)
})

test('the basic kind mirrors the quantiles about the value', () => {
  let next = 0
  const options = { counts: [1], numResamples: 5, level: 0.5, kind: 'basic' } as const
  expect(bootstrapInterval(() => next++, options)).toMatchObject({ value: 0, low: -4, high: -2 })
})

test('the centred kind shifts the quantiles so that the mean of the resamples is the value', () => {
  let next = 0
  const options = { counts: [1], numResamples: 5, level: 0.5, kind: 'centred' } as const
  // Resamples 1 .. 5 have the mean 3, and the value is 0.
  expect(bootstrapInterval(() => next++, options)).toMatchObject({ value: 0, low: -1, high: 1 })
})

test('a difference of two sets against the same third is narrower than the intervals of both', () => {
  const draws = normals(randomStream(1), 300)
  const mean = (set: number, rows: Int32Array) =>
    rows.reduce((sum, row) => sum + draws[100 * set + row], 0) / rows.length
  const away = (real: Int32Array, model: Int32Array, set: number) => (mean(0, real) - mean(set, model) - 9) ** 2
  const options = { counts: [100, 100, 100], numResamples: 400 }
  const { standardError } = bootstrapInterval((real, a, b) => away(real, a, 1) - away(real, b, 2), options)
  const one = bootstrapInterval((real, a) => away(real, a, 1), options).standardError
  const two = bootstrapInterval((real, _, b) => away(real, b, 2), options).standardError
  expect(standardError).toBeLessThan(0.9 * Math.hypot(one, two))
})

test('a seed names the rows, so that two measures are paired; sets are drawn by themselves', () => {
  const drawn: string[] = []
  const note = (...rows: Int32Array[]) => drawn.push(rows.map((list) => list.join(' ')).join(' | '))
  const options = { counts: [5, 5], numResamples: 3 }
  bootstrapInterval(note, options)
  bootstrapInterval(note, options)
  expect(drawn.slice(0, 4)).toEqual(drawn.slice(4))
  expect(drawn[0]).toBe('0 1 2 3 4 | 0 1 2 3 4')
  const [first, second] = drawn[1].split(' | ')
  expect(first).not.toBe(second)
  bootstrapInterval(note, { ...options, seed: 1 })
  expect(drawn[9]).not.toBe(drawn[1])
})

test.each([
  [{ counts: [] }, 'each set needs at least one sample; counts are []'],
  [{ counts: [3, 0] }, 'each set needs at least one sample; counts are [3, 0]'],
  [{ counts: [3], numResamples: 1 }, 'numResamples must be an integer of at least 2; it is 1'],
  [{ counts: [3], level: 1 }, 'level must lie between 0 and 1; it is 1'],
  [{ counts: [3], kind: 'bca' as 'basic' }, 'kind must be percentile, centred or basic; it is bca'],
])('refuses %j', (options, message) => {
  expect(() => bootstrapInterval(() => 0, options)).toThrow(`bootstrapInterval: ${message}`)
})

test('refuses a measure without a finite number', () => {
  expect(() => bootstrapInterval(() => NaN, { counts: [3] })).toThrow(
    'the measure of the sets must be finite; it is NaN',
  )
})
