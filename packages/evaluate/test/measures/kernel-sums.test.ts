import { cmmd, type Features, plainProducts, squaredMmd } from '@dit/metrics'
import { normals, randomStream } from '@dit/random'
import { expect, test } from 'vitest'
import { measureCmmd, measureKid } from '../../src/measures/kernel.js'

const rows = (count: number, seed: number): Features => ({
  shape: [count, 5],
  data: Float64Array.from(normals(randomStream(seed, 'rows'), count * 5)),
})
// More than one block of 512 in either set.
const [real, generated] = [rows(700, 1), rows(530, 2)]
const options = { products: plainProducts, k: 5, seed: 0, resampling: { numResamples: 3, level: 0.9 } }

test('kid is the unbiased discrepancy of whole sets, as squaredMmd has it', () => {
  const { value } = measureKid(real, generated, options)
  // Two orders of float64 sums of 490,000 pairs.
  expect(value).toBeCloseTo(squaredMmd(real, generated), 10)
})

test('cmmd is that of @dit/metrics on rows of unit length', () => {
  const unit = ({ shape, data }: Features): Features => ({
    shape,
    data: Float64Array.from(data, (x, i) => x / Math.hypot(...data.subarray(i - (i % 5), i - (i % 5) + 5))),
  })
  const { value } = measureCmmd(real, generated, options)
  expect(value).toBeCloseTo(cmmd(unit(real), unit(generated)).distance, 8)
})

test('a row of zeros has no direction', () => {
  const zeros = { shape: [2, 2], data: new Float64Array(4) }
  expect(() => measureCmmd(zeros, zeros, options)).toThrow(
    'evaluate: cmmd needs features with a direction; row 0 of the real set is all zeros',
  )
})
