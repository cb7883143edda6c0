import { normals, randomStream, uniforms } from '@dit/random'
import { expect } from 'vitest'
import { drawShape, recogniseShape, SHAPE_CLASSES, shapesDataset } from '../../src/index.js'

const COUNT = 60
export const indices = Array.from({ length: COUNT }, (_, i) => i)

/** Share of pictures with each answer. */
export async function answers(size: number, make: (image: Float32Array, index: number) => Float32Array) {
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

/** Nearly all real pictures get their name. */
export async function expectRealNamed(size: number): Promise<void> {
  expect((await answers(size, (image) => image)).right).toBeGreaterThanOrEqual(0.99)
}

/** Nothing is found in noise. */
export async function expectNoiseNameless(size: number): Promise<void> {
  const normal = await answers(size, (image, index) => normals(randomStream(4, index), image.length))
  const uniform = await answers(size, (image, index) =>
    uniforms(randomStream(5, index), image.length).map((u) => 2 * u - 1),
  )
  expect([normal.none, uniform.none]).toEqual([1, 1])
}

export interface Blend {
  readonly size: number
  readonly blur: boolean
  /** Share of pictures in which nothing may be found. */
  readonly least: number
}

/** Next to nothing is found in blends of two classes. */
export async function expectBlendsNameless({ size, blur, least }: Blend): Promise<void> {
  const dataset = shapesDataset({ size, seed: 11 })
  const { none } = await answers(size, (_, index) => {
    const drawing = dataset.drawing(index)
    const other = SHAPE_CLASSES[(drawing.label + 1 + (Math.floor(index / 6) % 5)) % SHAPE_CLASSES.length]
    const [a, b] = [drawShape(drawing, size), drawShape({ ...drawing, shape: other }, size)]
    const blend = a.map((value, i) => (value + b[i]) / 2)
    return blur ? blurred(blend, size) : blend
  })
  expect(none).toBeGreaterThanOrEqual(least)
}

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
