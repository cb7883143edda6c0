import { expect, test } from 'vitest'
import { picture, toPictures } from '../../src/pictures/pixels.js'

test('planes become RGB bytes: trunc(clamp(127.5 x + 128, 0, 255))', () => {
  // Two pixels; planes red, green, blue.
  const images = Float32Array.of(-1, 1, 0, 0.5, -2, 2)
  const { count, pixels } = toPictures(images, [3, 1, 2])
  expect(count).toBe(1)
  expect([...pixels]).toEqual([0, 128, 0, 255, 191, 255])
})

test('grey becomes three equal channels, picture by picture', () => {
  const pictures = toPictures(Float32Array.of(0, 1), [1, 1, 1])
  expect(pictures.count).toBe(2)
  expect([...picture(pictures, 0)]).toEqual([128, 128, 128])
  expect([...picture(pictures, 1)]).toEqual([255, 255, 255])
  expect(() => toPictures(new Float32Array(4), [4, 1, 1])).toThrow('channels must be 1 or 3 (got 4)')
})
