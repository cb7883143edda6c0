import { normals, randomStream } from '@dit/random'
import { expect, test } from 'vitest'
import { scoreSprites, SPRITE_CLASSES, spritesDataset } from '../../src/index.js'

test('real pictures are right and spread; a wrong class and no sprite both count as wrong', async () => {
  const { x0, labels } = await spritesDataset({ seed: 31 }).read([0, 8, 3, 11, 4])
  x0.fill(0.2, 4 * 3072)
  const score = scoreSprites(x0, [labels[0], labels[1], labels[2], 5, labels[4]])
  expect(score).toMatchObject({ count: 5, right: 0.6, none: 0.2, nearest: 0.6 })
  expect(score.perClass).toEqual([
    { sprite: 'creature', count: 2, right: 1, nearest: 1 },
    { sprite: 'fish', count: 1, right: 1, nearest: 1 },
    { sprite: 'potion', count: 1, right: 0, nearest: 0 },
    { sprite: 'plant', count: 1, right: 0, nearest: 0 },
  ])
  expect(score.spread).toBeGreaterThan(0.2)
})

test('a picture too noisy for any class still comes nearest to its own, and noise to none in particular', async () => {
  const { x0, labels } = await spritesDataset({ seed: 31 }).read(Array.from({ length: 16 }, (_, i) => i))
  const draws = normals(randomStream(0, 'noisy'), x0.length)
  const noisy = scoreSprites(
    x0.map((value, at) => value + 0.45 * draws[at]),
    labels,
  )
  expect(noisy.nearest).toBeGreaterThanOrEqual(0.8)
  expect(noisy.right).toBeLessThan(0.5)
  expect(scoreSprites(draws, labels).nearest).toBeLessThan(0.4)
})

test('a memorised picture has no spread, and two that differ by d in all values have d / sqrt(2)', async () => {
  const { x0 } = await spritesDataset({ seed: 31 }).read([3, 3])
  expect(scoreSprites(x0, [3, 3])).toMatchObject({ right: 1, spread: 0 })
  const brighter = x0.map((value, at) => (at < 3072 ? value : value + 0.1))
  expect(scoreSprites(brighter, [3, 3]).spread).toBeCloseTo(0.1 / Math.SQRT2, 5)
})

test('refuses counts that do not agree and unknown labels', () => {
  expect(() => scoreSprites(new Float32Array(10), [0])).toThrow(
    'scoreSprites: images must hold B x 3 x 32 x 32 values (10 values for 1 labels)',
  )
  expect(() => scoreSprites(new Float32Array(3072), [SPRITE_CLASSES.length])).toThrow(
    'scoreSprites: a label must be from 0 to 7 (label 0 is 8)',
  )
})
