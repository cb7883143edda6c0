import { expect, test } from 'vitest'
import { createHeap } from '../src/heap.js'

/** A memory that grows by what is asked for, up to `limit`. */
function growing(start: number, limit: number) {
  let end = start
  return createHeap(start, start, (byteLength) => (end + byteLength > limit ? null : (end += byteLength)))
}

test('addresses are multiples of 64 and blocks do not overlap', () => {
  const heap = growing(100, 10_000)
  const sizes = [1, 64, 65, 0, 200]
  const blocks = sizes.map((size) => ({ start: heap.allocate(size)!, size: Math.max(size, 1) }))
  expect(blocks.map(({ start }) => start % 64)).toEqual([0, 0, 0, 0, 0])
  expect(blocks.map(({ start }) => start)).toEqual([128, 192, 256, 384, 448])
})

test('what is freed is used again, the smallest block that fits first', () => {
  const heap = growing(0, 10_000)
  const [large, , small] = [512, 64, 128, 64].map((size) => heap.allocate(size)!)
  heap.free(large, 512)
  heap.free(small, 128)
  expect(heap.allocate(100)).toBe(small)
  expect(heap.allocate(100)).toBe(large)
})

test('neighbours join in whatever order they are freed', () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [0, 2, 1],
    [1, 0, 2],
  ]) {
    const heap = growing(0, 640)
    const starts = [0, 1, 2].map(() => heap.allocate(192)!)
    for (const i of order) heap.free(starts[i], 192)
    expect(heap.freeBytes()).toBe(576)
    expect(heap.allocate(576)).toBe(0)
  }
})

test('gives null where the memory cannot grow, and loses nothing by it', () => {
  const heap = growing(0, 256)
  const first = heap.allocate(128)!
  expect(heap.allocate(256)).toBeNull()
  heap.free(first, 128)
  expect(heap.allocate(256)).toBe(0)
})

test('a thousand blocks allocated and freed in a scrambled order leave one block', () => {
  const heap = growing(0, 2 ** 22)
  const blocks = Array.from({ length: 1000 }, (_, i) => {
    const size = 64 + ((i * 7919) % 1000)
    return { size, start: heap.allocate(size)! }
  })
  const order = blocks.map((_, i) => (i * 387) % 1000)
  for (const i of order) heap.free(blocks[i].start, blocks[i].size)
  const all = heap.freeBytes()
  expect(heap.allocate(all)).toBe(0)
})
