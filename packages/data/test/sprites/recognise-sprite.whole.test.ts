import { expect, test } from 'vitest'
import { average, blurred, halves, names, noise, noisy, share, sprites } from './recognised.js'
import { SPRITE_CLASSES } from '../../src/index.js'

const isRight = (answer: string, row: number) => answer === SPRITE_CLASSES[row % 8]
const isNone = (answer: string) => answer === 'none'

test('names more than 99 % of real sprites, and nearly all with slight noise', { timeout: 300_000 }, async () => {
  const { images } = await sprites(240, 22)
  expect(share(names(images), isRight)).toBeGreaterThan(0.99)
  expect(share(names(noisy(images.slice(0, 80), 0.1)), isRight)).toBeGreaterThanOrEqual(0.97)
})

test('finds nothing in noise', { timeout: 120_000 }, () => {
  expect(share(names(noise(200)), isNone)).toBe(1)
})

test('finds next to nothing in blurred sprites and in averages of a class', { timeout: 300_000 }, async () => {
  const { images } = await sprites(288, 22)
  expect(share(names(images.slice(0, 40).map(blurred)), isNone)).toBeGreaterThanOrEqual(0.97)
  const averages = Array.from({ length: 48 }, (_, k) =>
    average([0, 1, 2, 3, 4, 5].map((j) => images[(k % 8) + 8 * (Math.floor(k / 8) * 6 + j)])),
  )
  expect(share(names(averages), isNone)).toBeGreaterThanOrEqual(0.97)
})

test('finds next to nothing in blends and in halves of two classes', { timeout: 300_000 }, async () => {
  const { images } = await sprites(160, 22)
  // 8 k + d apart with d from 1 to 7: never the same class.
  const other = (k: number) => images[(k + 80 + 1 + (k % 7)) % 160]
  const blends = images.slice(0, 56).map((image, k) => average([image, other(k)]))
  expect(share(names(blends), isNone)).toBeGreaterThanOrEqual(0.9)
  const mixed = images.slice(0, 56).map((image, k) => halves(image, other(k)))
  // The cap of a mushroom over the walls of a house is a house.
  expect(share(names(mixed), isNone)).toBeGreaterThanOrEqual(0.9)
})
