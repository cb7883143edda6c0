import { flatLayout, reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { bucketLayout, partLength, partOf } from '../../src/parallel/buckets.js'

// Elements of reference are 8 bytes, and tensors begin at multiples of 32 of them.
const backend = reference()
const layout = flatLayout({ a: [10], b: [40], c: [100], d: [1] }, backend)

test('buckets are neighbours in memory, last tensors first', () => {
  expect(bucketLayout(layout, backend, 8 * 128)).toEqual([
    { segment: 0, offset: 224, size: 32, names: ['d'] },
    { segment: 0, offset: 96, size: 128, names: ['c'] },
    { segment: 0, offset: 0, size: 96, names: ['a', 'b'] },
  ])
})

test('a tensor larger than a bucket is one of its own', () => {
  expect(bucketLayout(layout, backend, 1).map(({ names }) => names)).toEqual([['d'], ['c'], ['b'], ['a']])
})

test('no bucket spans two segments', () => {
  const small = { ...backend, maxBufferBytes: 8 * 160 }
  const cut = flatLayout({ a: [10], b: [40], c: [100], d: [1] }, small)
  expect(bucketLayout(cut, small, 1e6)).toEqual([
    { segment: 1, offset: 0, size: 160, names: ['c', 'd'] },
    { segment: 0, offset: 0, size: 96, names: ['a', 'b'] },
  ])
})

test('parts of a bucket are its whole, and the last may be short or empty', () => {
  const bucket = { segment: 0, offset: 96, size: 160, names: [] }
  expect(partLength(bucket, 3)).toBe(64)
  expect([0, 1, 2].map((rank) => partOf(bucket, rank, 3))).toEqual([
    { start: 0, length: 64 },
    { start: 64, length: 64 },
    { start: 128, length: 32 },
  ])
  expect([0, 1, 2, 3].map((rank) => partOf({ ...bucket, size: 64 }, rank, 4).length)).toEqual([64, 0, 0, 0])
})
