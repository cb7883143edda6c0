import { normals, randomStream } from '@dit/random'
import { expect, test } from 'vitest'
import { drawnBatches } from '../../src/latents/drawn-batches.js'

// Two rows of two values: means 1, 2 and 3, 4; deviations 0, 1 and 10, 0.
const posteriors = {
  x0: Float32Array.of(1, 2, 0, 1, 3, 4, 10, 0),
  labels: Int32Array.of(5, 6),
}
const source = {
  batch: () => Promise.resolve(posteriors),
  rows: (_: number, start: number, end: number) =>
    Promise.resolve({ x0: posteriors.x0.slice(4 * start, 4 * end), labels: posteriors.labels.slice(start, end) }),
}

test('latents are mean + deviation noise, with noise of the step and the row', async () => {
  const noise = normals(randomStream(7, 'latents', 3), 4)
  const { x0, labels } = await drawnBatches(source, 7).batch(3)
  expect([...x0]).toEqual([1, Math.fround(2 + noise[1]), Math.fround(3 + 10 * noise[2]), 4])
  expect(labels).toEqual(Int32Array.of(5, 6))
})

test('a worker that reads its own rows draws what the whole batch has there', async () => {
  const drawn = drawnBatches(source, 7)
  const { x0 } = await drawn.batch(3)
  expect((await drawn.rows!(3, 1, 2)).x0).toEqual(x0.slice(2))
  expect((await drawn.batch(4)).x0).not.toEqual(x0)
})

test('a source without rows has none', () => {
  expect('rows' in drawnBatches({ batch: source.batch }, 0)).toBe(false)
})
