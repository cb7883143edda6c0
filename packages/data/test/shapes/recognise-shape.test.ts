import { expect, test } from 'vitest'
import { normals, randomStream, uniforms } from '@dit/random'
import { drawShape, recogniseShape, SHAPE_CLASSES, shapesDataset } from '../../src/index.js'

const COUNT = 60
const indices = Array.from({ length: COUNT }, (_, i) => i)

/** Share of pictures with each answer. */
async function answers(size: number, make: (image: Float32Array, index: number) => Float32Array) {
  const dataset = shapesDataset({ size, seed: 11 })
  let [right, none] = [0, 0]
  for (const index of indices) {
    const { x0, labels } = await dataset.read([index])
    const { label } = recogniseShape(make(x0, index), dataset.shape)
    right += Number(label === labels[0])
    none += Number(label === -1)
  }
  return { right: right / COUNT, none: none / COUNT }
}

test.each([16, 24, 32])('names nearly all real pictures at %d pixels', async (size) => {
  expect((await answers(size, (image) => image)).right).toBeGreaterThanOrEqual(0.99)
})

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

test.each([16, 32])('finds nothing in normal or uniform noise at %d pixels', async (size) => {
  const normal = await answers(size, (image, index) => normals(randomStream(4, index), image.length))
  const uniform = await answers(size, (image, index) =>
    uniforms(randomStream(5, index), image.length).map((u) => 2 * u - 1),
  )
  expect([normal.none, uniform.none]).toEqual([1, 1])
})

test('finds nothing in a flat picture', () => {
  expect(recogniseShape(new Float32Array(3 * 256).fill(0.3), [3, 16, 16])).toMatchObject({ shape: 'none', label: -1 })
})

test.each([
  { size: 16, blur: false, least: 0.97 },
  { size: 32, blur: false, least: 0.97 },
  { size: 32, blur: true, least: 0.93 },
  // At 16 pixels a blurred blend is sometimes a good blurred picture of one shape, such as a disc for disc and ring.
  { size: 16, blur: true, least: 0.75 },
])('finds next to nothing in blends of two classes: $size pixels, blurred: $blur', async ({ size, blur, least }) => {
  const dataset = shapesDataset({ size, seed: 11 })
  const { none } = await answers(size, (_, index) => {
    const drawing = dataset.drawing(index)
    const other = SHAPE_CLASSES[(drawing.label + 1 + (Math.floor(index / 6) % 5)) % SHAPE_CLASSES.length]
    const [a, b] = [drawShape(drawing, size), drawShape({ ...drawing, shape: other }, size)]
    const blend = a.map((value, i) => (value + b[i]) / 2)
    return blur ? blurred(blend, size) : blend
  })
  expect(none).toBeGreaterThanOrEqual(least)
})

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

/** Box blur over 3 x 3 pixels, cut at the borders. */
function blurred(image: Float32Array, size: number): Float32Array {
  return image.map((_, at) => {
    const [plane, row, column] = [Math.floor(at / (size * size)), Math.floor(at / size) % size, at % size]
    let [sum, count] = [0, 0]
    for (let y = Math.max(0, row - 1); y <= Math.min(size - 1, row + 1); y++) {
      for (let x = Math.max(0, column - 1); x <= Math.min(size - 1, column + 1); x++) {
        sum += image[(plane * size + y) * size + x]
        count++
      }
    }
    return sum / count
  })
}
