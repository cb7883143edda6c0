import { expect, test } from 'vitest'
import { normals, randomStream } from '@dit/random'
import { drawShape, recogniseShape, shapesDataset } from '../../src/index.js'
import { answers, indices, expectBlendsNameless, expectNoiseNameless, expectRealNamed } from './recognised.js'

test('names nearly all real pictures at 16 pixels', () => expectRealNamed(16))

test.each([
  { deviation: 0.1, least: 0.99 },
  { deviation: 0.2, least: 0.7 },
])('bears the noise that a generative model leaves: $deviation', async ({ deviation, least }) => {
  const { right } = await answers(16, (image, index) => {
    const noise = normals(randomStream(3, 'noise', index), image.length)
    return image.map((value, i) => value + deviation * noise[i])
  })
  expect(right).toBeGreaterThanOrEqual(least)
})

test('finds nothing in normal or uniform noise at 16 pixels', () => expectNoiseNameless(16))

test('finds nothing in a flat picture', () => {
  expect(recogniseShape(new Float32Array(3 * 256).fill(0.3), [3, 16, 16])).toMatchObject({ shape: 'none', label: -1 })
})

test.each([
  { size: 16, blur: false, least: 0.97 },
  // At 16 pixels a blurred blend is sometimes a good blurred picture of one shape, such as a disc for disc and ring.
  { size: 16, blur: true, least: 0.75 },
])('finds next to nothing in blends of two classes: $size pixels, blurred: $blur', (blend) =>
  expectBlendsNameless(blend),
)

test('finds nothing in most pictures with two different shapes, blended', async () => {
  const dataset = shapesDataset({ size: 16, seed: 11 })
  const { none } = await answers(16, (image, index) => {
    const other = drawShape(dataset.drawing(index + 7), 16)
    return image.map((value, i) => (value + other[i]) / 2)
  })
  expect(none).toBeGreaterThanOrEqual(0.9)
})

test('measures place, size and colour', async () => {
  const dataset = shapesDataset({ size: 32, seed: 2 })
  for (const index of indices.slice(0, 30)) {
    const { position, radius, color } = dataset.drawing(index)
    const { x0 } = await dataset.read([index])
    const seen = recogniseShape(x0, dataset.shape)
    // The search stops at steps of 2.5 % of the radius; colours are limited by antialiased edges.
    for (const axis of [0, 1]) expect(Math.abs(seen.position[axis] - position[axis])).toBeLessThan(0.02)
    expect(Math.abs(seen.size - radius)).toBeLessThan(0.02)
    for (const channel of [0, 1, 2]) expect(Math.abs(seen.color[channel] - color[channel])).toBeLessThan(0.1)
  }
})

test('refuses an image of another size', () => {
  expect(() => recogniseShape(new Float32Array(5), [3, 16, 16])).toThrow(
    'recogniseShape: image must hold C H W values (5 values for [3, 16, 16])',
  )
})
