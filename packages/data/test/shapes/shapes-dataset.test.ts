import { expect, test } from 'vitest'
import { drawShape, SHAPE_CLASSES, shapesDataset } from '../../src/index.js'

test('an example does not depend on its batch', async () => {
  const dataset = shapesDataset({ size: 16, seed: 5 })
  const batch = await dataset.read([9, 2, 9])
  const alone = await dataset.read([9])
  expect(batch.x0.subarray(0, 768)).toEqual(alone.x0)
  expect(batch.x0.subarray(2 * 768)).toEqual(alone.x0)
  expect([...batch.labels]).toEqual([3, 2, 3])
})

test('another seed gives another picture, a longer dataset the same ones', async () => {
  const first = await shapesDataset({ size: 16, seed: 5, length: 10 }).read([4])
  const longer = await shapesDataset({ size: 16, seed: 5, length: 1_000_000 }).read([4])
  const other = await shapesDataset({ size: 16, seed: 6 }).read([4])
  expect(longer.x0).toEqual(first.x0)
  expect(other.x0).not.toEqual(first.x0)
})

test('a flip mirrors the picture left to right', async () => {
  const dataset = shapesDataset({ size: 20, seed: 1 })
  const indices = [0, 1, 2, 3, 4, 5]
  const plain = await dataset.read(indices)
  const flipped = await dataset.read(indices, { flips: [1, 1, 1, 1, 1, 1] })
  const mirrored = plain.x0.map((_, at) => plain.x0[at - (at % 20) + 19 - (at % 20)])
  for (const at of mirrored.keys()) expect(flipped.x0[at]).toBeCloseTo(mirrored[at], 5)
})

test('keeps pixels in [-1, 1], shapes inside, all six classes in turn, and varies everything', () => {
  const dataset = shapesDataset({ seed: 3 })
  const drawings = Array.from({ length: 600 }, (_, i) => dataset.drawing(i))
  expect(drawings.slice(0, 7).map((drawing) => drawing.label)).toEqual([0, 1, 2, 3, 4, 5, 0])
  for (const { position, radius, color, background, label, shape } of drawings) {
    expect(SHAPE_CLASSES[label]).toBe(shape)
    for (const value of [...color, ...background]) expect(Math.abs(value)).toBeLessThanOrEqual(1)
    for (const at of position) expect(Math.min(at, 1 - at)).toBeGreaterThan(radius)
    expect(Math.hypot(...color.map((value, k) => value - background[k]))).toBeGreaterThan(0.4)
  }
  // A uniform radius over a width of 0.14 deviates by 0.14 / sqrt(12) = 0.040.
  expect(deviation(drawings.map((drawing) => drawing.radius))).toBeCloseTo(0.04, 2)
  expect(deviation(drawings.map((drawing) => drawing.position[0]))).toBeGreaterThan(0.07)
  expect(deviation(drawings.map((drawing) => drawing.color[0]))).toBeGreaterThan(0.5)
})

test('paints a square by hand: full inside, half on an edge through pixel centres', () => {
  const drawing = {
    shape: 'square',
    label: 2,
    position: [0.5, 0.5],
    radius: 0.25 / 0.88,
    color: [1, 0, -1],
    background: [-1, -1, -1],
  } as const
  // Half side 1.5 pixels around (3, 3) of a 6-pixel picture: edges at 1.5 and 4.5, through pixel centres.
  const red = drawShape(drawing, 6).subarray(0, 36)
  const line = [-1, 0, 1, 1, 0, -1]
  expect([...red.subarray(12, 18)].map((value) => Math.round(value * 1e5) / 1e5)).toEqual(line)
})

test('refuses wrong sizes, indices and flips', async () => {
  expect(() => shapesDataset({ size: 3 })).toThrow('shapesDataset: size must be an integer of at least 4 (size is 3)')
  expect(() => shapesDataset({ length: 0 })).toThrow('shapesDataset: length must be a positive integer (length is 0)')
  const dataset = shapesDataset({ length: 10 })
  await expect(dataset.read([1, 10])).rejects.toThrow(
    'shapesDataset: an index must be an integer from 0 to 9 (indices[1] is 10)',
  )
  await expect(dataset.read([1], { flips: [0, 1] })).rejects.toThrow(
    'shapesDataset: flips must hold one flag per index (2 for 1 indices)',
  )
  await expect(dataset.read([1], { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  expect(() => dataset.drawing(-1)).toThrow('shapeDrawing: index must be a non-negative integer (index is -1)')
})

function deviation(values: number[]): number {
  const mean = values.reduce((a, b) => a + b) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}
