import { expect, test } from 'vitest'
import { batches, batchIndices, shapesDataset } from '../src/index.js'
import type { BatchesOptions } from '../src/index.js'

const dataset = shapesDataset({ size: 8, length: 20 })

async function collect(options: BatchesOptions) {
  const all = []
  for await (const batch of batches(dataset, options)) all.push(batch)
  return all
}

test('reads what batchIndices says', async () => {
  const [batch] = await collect({ batchSize: 6, seed: 4, start: 5, end: 6 })
  const { indices, flips } = batchIndices({ length: 20, batchSize: 6, seed: 4, step: 5 })
  expect(batch).toEqual({ step: 5, indices, flips, offset: 0, ...(await dataset.read(indices, { flips })) })
})

test('a resumed run sees what an unbroken one would', async () => {
  const whole = await collect({ batchSize: 6, seed: 4, end: 7 })
  expect(await collect({ batchSize: 6, seed: 4, start: 3, end: 7 })).toEqual(whole.slice(3))
})

test('mirrors nothing where flips are off', async () => {
  const [batch] = await collect({ batchSize: 6, seed: 4, end: 1, flip: false })
  expect([...batch.flips]).toEqual([0, 0, 0, 0, 0, 0])
  expect(batch.x0).toEqual((await dataset.read(batch.indices)).x0)
})
