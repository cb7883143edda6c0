import { plainProducts } from '@dit/metrics'
import { expect, test } from 'vitest'
import { measureNeighbours } from '../../src/measures/neighbours.js'
import { shareInterval } from '../../src/measures/share-interval.js'
import { madePictures, standIn } from '../support/stand-in.js'

test('an interval of resamples stays between 0 and 1, and is no narrower than so many pictures allow', () => {
  const degenerate = { low: 1, high: 1, standardError: 0 }
  const { low, high } = shareInterval(1, 90, 0.95, degenerate)
  // Wilson: 90 / (90 + 1.96^2).
  expect(low).toBeCloseTo(0.959, 3)
  expect(high).toBe(1)
  expect(shareInterval(0.97, 20, 0.95, { low: 0.5, high: 1.02, standardError: 0.1 })).toMatchObject({
    low: 0.5,
    high: 1,
  })
})

test('that all of few pictures are covered is not certain of the next ones', async () => {
  const { extractor } = standIn()
  const features = async (seed: number) => (await extractor.extract(madePictures(40, seed))).colours
  const options = { k: 12, products: plainProducts, resampling: { numResamples: 30, level: 0.95 }, seed: 0 }
  const { precision, recall, coverage } = measureNeighbours(await features(1), await features(2), options)
  expect([precision.value, recall.value, coverage.value]).toContain(1)
  for (const { interval } of [precision, recall, coverage]) {
    expect(interval!.high).toBeLessThanOrEqual(1)
    expect(interval!.low).toBeLessThan(0.92)
  }
})
