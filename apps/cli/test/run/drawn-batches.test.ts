import { normals, randomStream } from '@dit/random'
import { pictureBatch } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { drawnBatches } from '../../src/run/drawn-batches.js'

// Two rows of two values: means 1, 2 and 3, 4; deviations 0, 1 and 10, 0.
const x0 = Float32Array.of(1, 2, 0, 1, 3, 4, 10, 0)
const labels = Int32Array.of(5, 6)
const source = {
  rows: async (_: number, start: number, end: number) =>
    pictureBatch(x0.slice(4 * start, 4 * end), labels.slice(start, end), [4, 1, 1]),
}

test('latents are mean + deviation noise, with noise of the step and the row', async () => {
  const noise = normals(randomStream(7, 'latents', 3), 4)
  const { arrays } = await drawnBatches(source, 7).rows(3, 0, 2)
  const want = [1, Math.fround(2 + noise[1]), Math.fround(3 + 10 * noise[2]), 4]
  expect(arrays.x0).toEqual({ data: Float32Array.from(want), shape: [2, 1, 1] })
  expect(arrays.labels.data).toEqual(labels)
})

test('a worker draws for its rows what the whole batch has there', async () => {
  const drawn = drawnBatches(source, 7)
  const { data: whole } = (await drawn.rows(3, 0, 2)).arrays.x0
  expect((await drawn.rows(3, 1, 2)).arrays.x0.data).toEqual(whole.slice(2))
  expect((await drawn.rows(4, 0, 2)).arrays.x0.data).not.toEqual(whole)
})
