import { readFileSync } from 'node:fs'
import { randomStream, reference, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'
import { learnedPositions, sincosPositions } from '../src/positions.js'

const backend = await useBackend(reference())

/** Table `out.pos`: the last tensor of its file. */
function referenceTable(name: string, length: number): Float32Array {
  const file = readFileSync(new URL(`fixtures/${name}.safetensors`, import.meta.url))
  return new Float32Array(Uint8Array.from(file.subarray(-4 * length)).buffer)
}

test('encodes the column first, sines before cosines', () => {
  // one frequency: rows are [sin c, cos c, sin r, cos r]
  const table = sincosPositions(4, [2, 3])
  const want = [0, 1].flatMap((r) => [0, 1, 2].flatMap((c) => [Math.sin(c), Math.cos(c), Math.sin(r), Math.cos(r)]))
  expect(table).toEqual(Float32Array.from(want))
})

test('lowers the frequencies from 1 towards 1 / 10000', () => {
  const table = sincosPositions(8, [1, 4])
  expect(table[3 * 8]).toBe(Math.fround(Math.sin(3)))
  expect(table[3 * 8 + 1]).toBe(Math.fround(Math.sin(0.03)))
  expect(table[3 * 8 + 3]).toBe(Math.fround(Math.cos(0.03)))
})

test.each([
  ['pos2d-d8-g3-extra1', 8, 3, 1],
  ['pos2d-d12-g2-extra2', 12, 2, 2],
])('gives the table of the reference implementation (%s)', (name, hiddenSize, side, extraTokens) => {
  const length = (extraTokens + side * side) * hiddenSize
  const want = referenceTable(name, length)
  const got = sincosPositions(hiddenSize, [side, side], { extraTokens })
  expect(got.length).toBe(length)
  got.forEach((value, i) => expect(Math.abs(value - want[i])).toBeLessThan(1e-7)) // one rounding to float32 below 1
  expect(got.subarray(0, extraTokens * hiddenSize).every((value) => value === 0)).toBe(true)
})

test('spreads the trained range over a finer grid', () => {
  // 2 trained columns, 0 and 1, as 4 halves: centres at -1/4, 1/4, 3/4, 5/4; rows stay 0
  const table = sincosPositions(4, [1, 4], { trainedGrid: [1, 2] })
  const want = [-0.25, 0.25, 0.75, 1.25].flatMap((c) => [Math.sin(c), Math.cos(c), 0, 1])
  expect(table).toEqual(Float32Array.from(want))
})

test('draws learned tables with deviation 0.02, the same for the same stream', async () => {
  const before = backend.memory().buffers
  const table = learnedPositions(16, [8, 8], randomStream(3, 'positions'))
  expect(backend.memory().buffers).toBe(before + 1)
  expect(table.shape).toEqual([64, 16])
  const values = [...(await table.data())]
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
  expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(0.1) // 1024 draws: standard error 0.022
  expect(await learnedPositions(16, [8, 8], randomStream(3, 'positions')).data()).toEqual(await table.data())
  expect(await learnedPositions(16, [8, 8], randomStream(4, 'positions')).data()).not.toEqual(await table.data())
})

test('rejects widths and grids that make no table', () => {
  expect(() => sincosPositions(6, [2, 2])).toThrow(
    new RangeError('sincosPositions: hiddenSize must be a positive multiple of 4 (got 6)'),
  )
  expect(() => sincosPositions(4, [2, 0])).toThrow(
    'sincosPositions: columns of grid must be a positive integer (got 0)',
  )
  expect(() => sincosPositions(4, [2, 2], { extraTokens: -1 })).toThrow('extraTokens must be a non-negative integer')
  expect(() => sincosPositions(4, [2, 2], { trainedGrid: [0, 2] })).toThrow('rows of trainedGrid')
  expect(() => learnedPositions(0, [2, 2], randomStream(1))).toThrow('learnedPositions: hiddenSize must be')
})
