import { crc32 } from 'node:zlib'
import { type Raster, resize, RESIZE_METHODS, type ResizeMethod } from '@dit/features'
import { describe, expect, test } from 'vitest'
import { formulaPictures } from '../formula.js'

const crcOf = (values: Float32Array | Uint8Array) =>
  crc32(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))

/** A grey picture. */
const grey = (height: number, width: number, pixels: readonly number[]): Raster => ({
  height,
  width,
  channels: 1,
  pixels: Uint8Array.from(pixels),
})

// CRC-32 of what Pillow 13.0.0 (bytes, and float channels clipped to 0 .. 255) and torch-fidelity 0.4.0 make of the formula's picture.
describe.each([
  { from: [7, 9], to: [5, 4], bytes: 2385310361, clean: 1680518522, tf1: 3975028527 },
  { from: [5, 4], to: [13, 11], bytes: 4099341336, clean: 3056387786, tf1: 1451575268 },
  { from: [30, 9], to: [8, 7], bytes: 306622709, clean: 772629118, tf1: 764809977 }, // columns first
  { from: [48, 40], to: [33, 47], bytes: 2400385448, clean: 3843221609, tf1: 3685686350 },
  { from: [40, 48], to: [21, 20], bytes: 3008838478, clean: 1905089749, tf1: 126289690 },
  { from: [64, 6], to: [5, 6], bytes: 3091048390, clean: 2852336372, tf1: 2075939160 }, // one pass
  { from: [1, 1], to: [3, 2], bytes: 724353905, clean: 1199217615, tf1: 1199217615 },
  { from: [6, 64], to: [6, 5], bytes: 760990416, clean: 2136438782, tf1: 2937005293 },
] as const)('from $from to $to', ({ from: [height, width], to, bytes, clean, tf1 }) => {
  const image = { channels: 3, ...formulaPictures(1, height, width) }

  test('pillow-bicubic has the bytes of Pillow', () => {
    expect(crcOf(Uint8Array.from(resize(image, to, 'pillow-bicubic')))).toBe(bytes)
  })

  test('clean-bicubic has the bits of Pillow on floats', () => {
    expect(crcOf(resize(image, to, 'clean-bicubic'))).toBe(clean)
  })

  test('tf1-bilinear has the bits of torch-fidelity', () => {
    expect(crcOf(resize(image, to, 'tf1-bilinear'))).toBe(tf1)
  })
})

test('tf1-bilinear begins at the first pixel, half-pixel-bilinear halfway before it', () => {
  const line = grey(1, 2, [0, 100])
  expect([...resize(line, [1, 4], 'tf1-bilinear')]).toEqual([0, 50, 100, 100])
  expect([...resize(line, [1, 4], 'half-pixel-bilinear')]).toEqual([0, 25, 75, 100])
})

test('one pixel of many is the first, the middle or an average', () => {
  const line = grey(1, 4, [0, 80, 160, 240])
  expect([...resize(line, [1, 1], 'tf1-bilinear')]).toEqual([0])
  expect([...resize(line, [1, 1], 'half-pixel-bilinear')]).toEqual([120])
  expect(resize(line, [1, 1], 'clean-bicubic')[0]).toBeCloseTo(120, 4)
  expect([...resize(line, [1, 1], 'pillow-bicubic')]).toEqual([120])
})

test.each(RESIZE_METHODS)('%s leaves a picture of the wanted size as it is, and one colour everywhere', (method) => {
  const image = { channels: 3, ...formulaPictures(1, 9, 11) }
  expect(resize(image, [9, 11], method)).toEqual(Float32Array.from(image.pixels))
  const even = resize(
    grey(
      3,
      5,
      Array.from({ length: 15 }, () => 77),
    ),
    [7, 2],
    method,
  )
  expect(even.every((value) => Math.abs(value - 77) <= 77 * 2 ** -23)).toBe(true)
})

test.each(RESIZE_METHODS)('%s treats channels alike, and grey as one of them', (method) => {
  const image = { channels: 3, ...formulaPictures(1, 8, 6) }
  const whole = resize(image, [5, 9], method)
  for (let c = 0; c < 3; c++) {
    const channel = grey(
      8,
      6,
      Array.from({ length: 48 }, (_, i) => image.pixels[3 * i + c]),
    )
    expect(resize(channel, [5, 9], method)).toEqual(whole.filter((_, i) => i % 3 === c))
  }
})

test('bicubic overshoots are clipped', () => {
  const board = grey(1, 4, [0, 0, 255, 255])
  const values = resize(board, [1, 16], 'clean-bicubic')
  expect(Math.min(...values)).toBe(0)
  expect(Math.max(...values)).toBe(255)
})

test('refuses what is no picture, no size and no method', () => {
  const image = grey(2, 2, [1, 2, 3, 4])
  expect(() => resize({ ...image, pixels: new Uint8Array(3) }, [4, 4], 'tf1-bilinear')).toThrow(
    'resize: a picture of [2, 2, 1] needs 4 bytes (got 3)',
  )
  expect(() => resize(image, [0, 4], 'tf1-bilinear')).toThrow(
    'resize: extents must be integers of 1 or more (from [2, 2, 1] to [0, 4])',
  )
  expect(() => resize(image, [4, 4], 'lanczos' as ResizeMethod)).toThrow(
    'resize: resize must be one of tf1-bilinear, half-pixel-bilinear, clean-bicubic, pillow-bicubic (got lanczos)',
  )
})
