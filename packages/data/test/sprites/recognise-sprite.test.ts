import { expect, test } from 'vitest'
import { recogniseSprite, SPRITE_CLASSES } from '../../src/index.js'
import { average, blurred, halves, names, noise, noisy, sprites } from './recognised.js'

test('names sprites of every class, and says how sure it is', async () => {
  const { images } = await sprites(8)
  const seen = images.map((image) => recogniseSprite(image))
  expect(seen.map(({ sprite }) => sprite)).toEqual(SPRITE_CLASSES)
  expect(seen.map(({ label }) => label)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  for (const { explained, lead, lineContrast } of seen) {
    expect(explained).toBeGreaterThan(0.6)
    expect(explained).toBeLessThanOrEqual(1)
    expect(lead).toBeGreaterThan(1.8)
    expect(lineContrast).toBeGreaterThan(0.42)
  }
})

test('names a sprite in spite of noise, of other colours, and looking the other way', async () => {
  const { images } = await sprites(8, 12)
  const [fish, potion, house] = [images[3], images[4], images[7]]
  expect(names(noisy([fish, house], 0.15))).toEqual(['fish', 'house'])
  expect(recogniseSprite(fish.map((_, at) => fish[at - (at % 32) + 31 - (at % 32)])).sprite).toBe('fish')
  // Red, green and blue in turn.
  expect(recogniseSprite(potion.map((_, at) => potion[(at + 1024) % 3072])).sprite).toBe('potion')
})

test('finds nothing in noise and on empty grounds', () => {
  const gradient = new Float32Array(3072).map((_, at) => (at % 32) / 32)
  const empty = [new Float32Array(3072), new Float32Array(3072).fill(0.4)]
  expect(new Set(names([...noise(6), ...empty, gradient]))).toEqual(new Set(['none']))
})

test('finds nothing in averages of a class, in blends and in halves of two classes', async () => {
  const { images } = await sprites(80)
  const ofClass = (label: number) => average(images.filter((_, row) => row % 8 === label))
  expect(names([ofClass(3), ofClass(6), blurred(ofClass(4))])).toEqual(['none', 'none', 'none'])
  expect(names([average([images[0], images[5]]), average([images[2], images[4]])])).toEqual(['none', 'none'])
  expect(names([halves(images[1], images[6]), halves(images[5], images[2])])).toEqual(['none', 'none'])
})

test('refuses an image of another size', () => {
  expect(() => recogniseSprite(new Float32Array(5))).toThrow(
    'recogniseSprite: image must hold 3 x 32 x 32 values (5 values); take every k-th pixel of a larger picture',
  )
})
