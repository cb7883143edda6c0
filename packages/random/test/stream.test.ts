import { expect, test } from 'vitest'
import { philox4x32, randomStream } from '../src/index.js'

test('an empty path has the id (0, 0)', () => {
  expect(randomStream(7)).toEqual({ seed: 7, stream: [0, 0] })
})

test('absorbs a number by its float64 bits', () => {
  // 1 = 0x3ff00000_00000000
  const [low, high] = philox4x32([0, 0x3ff00000, 0, 0], [1, 0])
  expect(randomStream(0, 1).stream).toEqual([low, high])
})

test('absorbs a string by its length and its bytes in eights', () => {
  // 'noise' is 6e 6f 69 73 65
  const [a, b] = philox4x32([5, 0, 0, 0], [2, 0])
  const [low, high] = philox4x32([0x73696f6e, 0x65, a, b], [3, 0])
  expect(randomStream(0, 'noise').stream).toEqual([low, high])
})

test('the ids never change: stored runs depend on them', () => {
  expect(randomStream(0, 'noise').stream).toEqual([2277230483, 2769097470])
  expect(randomStream(0, 'noise', 12, 'größe, eight+').stream).toEqual([3050633165, 3395038572])
})

test('different paths have different ids, and none depends on the seed', () => {
  const paths: (string | number)[][] = [
    [1],
    ['1'],
    [1, 1],
    ['11'],
    ['1', '1'],
    [''],
    ['', ''],
    [0],
    [-1],
    [0.5],
    ['ab'],
    ['a', 'b'],
    ['b', 'a'],
  ]
  for (let step = 2; step < 500; step++) paths.push(['noise', step], ['labels', step], [step, 'noise'])
  const ids = new Set(paths.map((path) => randomStream(0, ...path).stream.join()))
  expect(ids.size).toBe(paths.length)
  expect(randomStream(1, 'x').stream).toEqual(randomStream(2, 'x').stream)
  expect(randomStream(1, -0)).toEqual(randomStream(1, 0))
})

test('refuses seeds and path parts that have no meaning', () => {
  expect(() => randomStream(-1)).toThrow('randomStream: seed must be a non-negative safe integer (got -1)')
  expect(() => randomStream(0.5)).toThrow('(got 0.5)')
  expect(() => randomStream(2 ** 53)).toThrow(RangeError)
  expect(() => randomStream(0, Number.NaN)).toThrow('randomStream: a number of the path must be finite (got NaN)')
  expect(() => randomStream(0, true as unknown as string)).toThrow(
    'randomStream: a path holds strings and numbers (got boolean)',
  )
})
