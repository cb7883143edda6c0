import { expect, test } from 'vitest'
import { putOnBackground, rgbOf } from '../../src/node/background.js'

const flat = (pixels: number[][], background: [number, number, number]) => {
  const { data, ...rest } = putOnBackground(Uint8Array.from(pixels.flat()), background)
  return { ...rest, data: [...data] }
}

test('levels are mixed by alpha and rounded', () => {
  // (128 * 100 + 127 * 255) / 255 = 177.2 and (128 * 10 + 127 * 0) / 255 = 5.02; alpha 0 leaves the ground, 255 the picture.
  const pixels = [
    [100, 0, 255, 128],
    [10, 20, 30, 0],
    [10, 20, 30, 255],
  ]
  expect(flat(pixels, [255, 0, 255]).data).toEqual([177, 0, 255, 255, 0, 255, 10, 20, 30])
  expect(flat([[10, 0, 0, 128]], [0, 0, 0]).data).toEqual([5, 0, 0])
})

test('a picture whose every pixel is opaque keeps its bytes on any ground', () => {
  const levels = Array.from({ length: 256 }, (_, level) => [level, 255 - level, level, 255])
  const { data, isTransparent, isSwallowed } = flat(levels, [3, 77, 201])
  expect(data).toEqual(levels.flatMap((pixel) => pixel.slice(0, 3)))
  expect({ isTransparent, isSwallowed }).toEqual({ isTransparent: false, isSwallowed: false })
})

test('white on white is swallowed, and so is nothing at all; white on black is not', () => {
  const logo = Array.from({ length: 10 }, (_, i) => (i < 6 ? [250, 252, 255, 255] : [0, 0, 0, 0]))
  expect(flat(logo, [255, 255, 255])).toMatchObject({ isTransparent: true, isSwallowed: true })
  expect(flat(logo, [0, 0, 0])).toMatchObject({ isTransparent: true, isSwallowed: false })
  expect(flat([[9, 9, 9, 0]], [255, 255, 255])).toMatchObject({ isTransparent: true, isSwallowed: true })
})

test('a white picture without transparent pixels is what it is', () => {
  expect(flat([[255, 255, 255, 255]], [255, 255, 255]).isSwallowed).toBe(false)
})

test('a colour is six hexadecimal digits', () => {
  expect(rgbOf('openImageFolder', '#ff8001')).toEqual([255, 128, 1])
  for (const wrong of ['white', '#fff', 'ffffff', '#ffffff0']) {
    expect(() => rgbOf('openImageFolder', wrong)).toThrow(
      `background must be a colour such as #ffffff, or null (background is ${wrong})`,
    )
  }
})
