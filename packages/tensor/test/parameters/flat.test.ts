import {
  allocateFlat,
  type Backend,
  disposeFlat,
  fill,
  flatLayout,
  flatten,
  reference,
  SEGMENT_ALIGNMENT,
  tensor,
} from '@dit/tensor'
import { expect, test } from 'vitest'
import { numbers } from '../check-gradients.js'

const shapes = { a: [3], b: [5, 7], c: [], d: [32] }

test('views begin at multiples of 256 bytes and follow one another', () => {
  const { entries, segmentSizes } = flatLayout(shapes, reference())
  expect(SEGMENT_ALIGNMENT).toBe(256)
  // float64: 32 elements are 256 bytes
  expect(entries.map(({ name, segment, offset }) => [name, segment, offset])).toEqual([
    ['a', 0, 0],
    ['b', 0, 32],
    ['c', 0, 96],
    ['d', 0, 128],
  ])
  expect(segmentSizes).toEqual([160])
})

test('a small limit of the buffer makes several segments', () => {
  const small: Backend = { ...reference(), maxBufferBytes: 3 * 256 + 100 }
  const { entries, segmentSizes } = flatLayout(shapes, small)
  expect(entries.map(({ segment, offset }) => [segment, offset])).toEqual([
    [0, 0],
    [0, 32],
    [1, 0],
    [1, 32],
  ])
  expect(segmentSizes).toEqual([96, 64])
  expect(() => flatLayout({ big: [97] }, small)).toThrow(
    new RangeError(
      'flatLayout: big [97] needs 1024 bytes, and a buffer of reference holds at most 868; a tensor is not split: use another backend, or a smaller model',
    ),
  )
})

test('without views every tensor is a segment of its own size', async () => {
  const backend: Backend = { ...reference(), supportsViews: false }
  const layout = flatLayout(shapes, backend)
  expect(layout.segmentSizes).toEqual([3, 35, 1, 32])
  expect(layout.entries.every(({ offset }, i) => offset === 0 && layout.entries[i].segment === i)).toBe(true)
  const flat = allocateFlat(layout, backend)
  expect(flat.segments.map(({ shape }) => shape)).toEqual(Object.values(shapes))
  fill(flat.segments[1], 3)
  expect(await numbers(flat.params.b)).toEqual(new Array(35).fill(3))
  disposeFlat(flat)
  expect(backend.memory().buffers).toBe(0)
})

test('flatten copies values; segments and views see the same memory', async () => {
  const backend = reference()
  const params = {
    a: tensor([1, 2, 3], [3], { backend }),
    b: tensor(new Float64Array(35).fill(4), [5, 7], { backend }),
    c: tensor([5], [], { backend }),
    d: tensor(new Float64Array(32).fill(6), [32], { backend }),
  }
  const flat = flatten(params, flatLayout(shapes, backend), backend)
  expect(backend.memory().buffers).toBe(5)
  expect(Object.keys(flat.params)).toEqual(['a', 'b', 'c', 'd'])
  expect(await numbers(flat.params.c)).toEqual([5])
  const segment = await numbers(flat.segments[0])
  expect([segment[2], segment[3], segment[32], segment[96], segment[159]]).toEqual([3, 0, 4, 5, 6])
  fill(flat.params.a, 9)
  expect((await numbers(flat.segments[0])).slice(0, 4)).toEqual([9, 9, 9, 0])
  expect(await numbers(params.a)).toEqual([1, 2, 3])
  disposeFlat(flat)
  expect(backend.memory().buffers).toBe(4)
})

test('flatten refuses what does not fit, and leaves no buffer behind', () => {
  const backend = reference()
  const a = tensor([1, 2, 3], [3], { backend })
  const layout = flatLayout({ a: [3], b: [2] }, backend)
  expect(() => flatten({ a }, layout, backend)).toThrow(new RangeError('flatten: b must be [2] (got nothing)'))
  expect(() => flatten({ a, b: a }, layout, backend)).toThrow(new RangeError('flatten: b must be [2] (got [3])'))
  const elsewhere = { ...reference(), name: 'elsewhere' }
  expect(() => flatten({ a, b: tensor([1, 2], [2], { backend: elsewhere }) }, layout, backend)).toThrow(TypeError)
  expect(backend.memory().buffers).toBe(1)
})
