import { expect, test } from 'vitest'
import { SPRITE_CLASSES, spritesDataset } from '../../src/index.js'

const PIXELS = 32 * 32
const pictures = 3 * PIXELS

test('an example does not depend on its batch', async () => {
  const dataset = spritesDataset({ seed: 5 })
  const batch = await dataset.read([9, 2, 9])
  const alone = await dataset.read([9])
  expect(batch.x0.subarray(0, pictures)).toEqual(alone.x0)
  expect(batch.x0.subarray(2 * pictures)).toEqual(alone.x0)
  expect([...batch.labels]).toEqual([1, 2, 1])
})

test('another seed gives another picture, a longer dataset the same ones', async () => {
  const first = await spritesDataset({ seed: 5, length: 10 }).read([4])
  const longer = await spritesDataset({ seed: 5, length: 1_000_000 }).read([4])
  const other = await spritesDataset({ seed: 6 }).read([4])
  expect(longer.x0).toEqual(first.x0)
  expect(other.x0).not.toEqual(first.x0)
})

test('a flip mirrors the picture left to right', async () => {
  const dataset = spritesDataset({ seed: 1 })
  const plain = await dataset.read([0, 3, 7])
  const flipped = await dataset.read([0, 3, 7], { flips: [1, 0, 1] })
  const mirrored = plain.x0.map((_, at) => plain.x0[at - (at % 32) + 31 - (at % 32)])
  for (const [row, expected] of [mirrored, plain.x0, mirrored].entries()) {
    const part = [row * pictures, (row + 1) * pictures] as const
    expect(flipped.x0.subarray(...part)).toEqual(expected.subarray(...part))
  }
})

test('a larger picture repeats the pixels of the grid', async () => {
  const small = await spritesDataset({ seed: 2 }).read([3])
  const dataset = spritesDataset({ seed: 2, size: 96 })
  expect(dataset.shape).toEqual([3, 96, 96])
  const large = await dataset.read([3], { flips: [1] })
  for (const [channel, y, x] of [
    [0, 0, 0],
    [1, 47, 50],
    [2, 95, 94],
    [2, 60, 13],
  ]) {
    const source = channel * PIXELS + Math.floor(y / 3) * 32 + Math.floor((95 - x) / 3)
    expect(large.x0[(channel * 96 + y) * 96 + x]).toBe(small.x0[source])
  }
})

test('all eight classes take turns, and labels are known without reading', async () => {
  const dataset = spritesDataset({ length: 20 })
  const { labels } = await dataset.read([0, 1, 2, 3, 4, 5, 6, 7, 8])
  expect([...labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 0])
  expect(dataset.labels!()).toEqual(Int32Array.from({ length: 20 }, (_, i) => i % 8))
  expect(dataset.classes).toEqual(SPRITE_CLASSES)
})

test('values are those of 8 bits, corners are ground, and the ground is a mid tone', async () => {
  const { x0 } = await spritesDataset({ seed: 3 }).read(Array.from({ length: 80 }, (_, i) => i))
  // float32 of k / 127.5 - 1
  const offBits = x0.map((value) => Math.abs((value + 1) * 127.5 - Math.round((value + 1) * 127.5)))
  expect(offBits.reduce((most, value) => Math.max(most, value))).toBeLessThan(1e-4)
  expect(x0.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeLessThanOrEqual(1)
  for (let row = 0; row < 80; row++) {
    const corners = [0, 31, 31 * 32, PIXELS - 1].map((at) =>
      [0, 1, 2].map((channel) => x0[row * pictures + channel * PIXELS + at]),
    )
    for (const corner of corners) expect(corner).toEqual(corners[0])
    const brightness = Math.max(...corners[0])
    expect(brightness).toBeGreaterThan(0)
    expect(brightness).toBeLessThan(0.4)
  }
})

test('no two of four hundred examples are equal, and those of a class differ widely', async () => {
  const dataset = spritesDataset({ length: 400 })
  const { x0 } = await dataset.read(Array.from({ length: 400 }, (_, i) => i))
  const rows = Array.from({ length: 400 }, (_, row) => x0.subarray(row * pictures, (row + 1) * pictures))
  expect(new Set(rows.map((row) => row.join())).size).toBe(400)
  for (let label = 0; label < 8; label++) {
    const some = rows.filter((_, row) => row % 8 === label).slice(0, 20)
    let squares = 0
    for (let i = 0; i < pictures; i++) {
      const mean = some.reduce((sum, row) => sum + row[i], 0) / some.length
      for (const row of some) squares += (row[i] - mean) ** 2
    }
    // On the scale of [-1, 1], where the deviation of uniform noise is 0.58.
    expect(Math.sqrt(squares / (19 * pictures))).toBeGreaterThan(0.25)
  }
})

test('refuses wrong sizes, lengths, indices and flips', async () => {
  for (const size of [16, 48, 0, 32.5]) {
    expect(() => spritesDataset({ size })).toThrow(
      `spritesDataset: size must be a multiple of 32, the grid of the drawings (size is ${size})`,
    )
  }
  expect(() => spritesDataset({ length: 0 })).toThrow('spritesDataset: length must be a positive integer (length is 0)')
  const dataset = spritesDataset({ length: 10 })
  await expect(dataset.read([1, 10])).rejects.toThrow(
    'spritesDataset: an index must be an integer from 0 to 9 (indices[1] is 10)',
  )
  await expect(dataset.read([1], { flips: [0, 1] })).rejects.toThrow(
    'spritesDataset: flips must hold one flag per index (2 for 1 indices)',
  )
  await expect(dataset.read([1], { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
})
