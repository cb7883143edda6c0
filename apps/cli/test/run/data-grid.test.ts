import type { Dataset } from '@dit/data'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { dataGrid, hasDataGrid } from '../../src/run/data-grid.js'
import { tinyConfig } from '../support/tiny-run.js'

/** Twelve grey pictures of class 0, of levels 0, 10, 20 and so on, and one of class 1. */
const dataset: Dataset = {
  length: 13,
  classes: ['many', 'one'],
  shape: [3, 4, 4],
  labels: () => Int32Array.from({ length: 13 }, (_, i) => Number(i === 12)),
  read: async (indices) => {
    const x0 = Float32Array.from({ length: indices.length * 48 }, (_, i) => indices[Math.floor(i / 48)] / 6.375 / 2 - 1)
    return { x0, labels: new Int32Array(indices.length) }
  },
}

test('a row shows six pictures from all of a class, or fewer and white', async () => {
  const png = await dataGrid(dataset)
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  // Tiles of 4 x 16 pixels with gaps of 4, from the right edge.
  const level = (row: number, column: number) => {
    const [x, y] = [info.width - (6 - column) * 68 + 32, 4 + row * 68 + 32]
    return data[(y * info.width + x) * 3]
  }
  expect([0, 1, 2, 3, 4, 5].map((column) => level(0, column))).toEqual([0, 20, 40, 60, 80, 100])
  expect([0, 1, 5].map((column) => level(1, column))).toEqual([120, 255, 255])
  expect(await dataGrid(dataset)).toEqual(png)
})

test('folders have one, shapes where samples are drawn, latents and modules none', () => {
  const has = (config: object) => hasDataGrid({ ...tinyConfig, ...config })
  expect(has({ data: { kind: 'folder' }, sampleEvery: null })).toBe(true)
  expect(has({ data: { kind: 'shapes' }, sampleEvery: 5 })).toBe(true)
  expect(has({ data: { kind: 'shapes' }, sampleEvery: null })).toBe(false)
  expect(has({ data: { kind: 'latents' }, sampleEvery: null })).toBe(false)
  expect(has({ data: { kind: 'folder' }, objective: { kind: 'module' } })).toBe(false)
})
