import { randomNormal, randomStream, reference, tensor, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'
import { patchify, unpatchify } from '../src/patchify.js'

const backend = await useBackend(reference())
const counting = (length: number) => Float64Array.from({ length }, (_, i) => i)

test('orders a patch by channel, row, column', async () => {
  // two channels of a 2 x 4 image, cut into two patches of 2 x 2
  const x = tensor(counting(16), [1, 2, 2, 4])
  const tokens = patchify(x, 2)
  expect(tokens.shape).toEqual([1, 2, 8])
  expect([...(await tokens.data())]).toEqual([0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15])
})

test('reads a token by row, column, channel', async () => {
  // one token of 2 x 2 patches with 2 channels: channel 0 holds the even numbers
  const image = unpatchify(tensor(counting(8), [1, 1, 8]), { patchSize: 2, grid: [1, 1] })
  expect(image.shape).toEqual([1, 2, 2, 2])
  expect([...(await image.data())]).toEqual([0, 2, 4, 6, 1, 3, 5, 7])
})

test.each([
  [3, 4, 2, 2],
  [1, 6, 9, 3],
  [2, 5, 3, 1],
])('puts one-channel images together again (batch %i, %i x %i, patch %i)', async (batch, height, width, patchSize) => {
  const x = randomNormal([batch, 1, height, width], randomStream(1, 'image'))
  const grid = [height / patchSize, width / patchSize] as const
  const back = unpatchify(patchify(x, patchSize), { patchSize, grid })
  expect(back.shape).toEqual(x.shape)
  expect(await back.data()).toEqual(await x.data())
})

test('keeps rows before columns on a rectangular grid', async () => {
  const image = unpatchify(tensor(counting(6), [1, 6, 1]), { patchSize: 1, grid: [2, 3] })
  expect(image.shape).toEqual([1, 1, 2, 3])
  expect([...(await image.data())]).toEqual([0, 1, 2, 3, 4, 5])
})

test('frees everything but the result', () => {
  const x = randomNormal([2, 3, 4, 4], randomStream(1))
  const before = backend.memory().buffers
  const tokens = patchify(x, 2)
  expect(backend.memory().buffers).toBe(before + 1)
  const image = unpatchify(tokens, { patchSize: 2, grid: [2, 2] })
  expect(backend.memory().buffers).toBe(before + 2)
  tokens.dispose()
  image.dispose()
  expect(backend.memory().buffers).toBe(before)
})

test('rejects images that do not divide', () => {
  const x = randomNormal([2, 3, 30, 32], randomStream(1))
  expect(() => patchify(x, 4)).toThrow(
    new RangeError('patchify: height 30 is not a multiple of patchSize 4 (x is [2, 3, 30, 32])'),
  )
  expect(() => patchify(tensor([1, 2]), 1)).toThrow('patchify: x must be [B, C, H, W] (got [2])')
})

test('rejects tokens that do not fill the grid', () => {
  const tokens = tensor(counting(24), [1, 6, 4])
  expect(() => unpatchify(tokens, { patchSize: 2, grid: [2, 2] })).toThrow(
    new RangeError('unpatchify: tokens must be [B, 4, 4 * C] for grid [2, 2] and patchSize 2 (got [1, 6, 4])'),
  )
  expect(() => unpatchify(tokens, { patchSize: 3, grid: [2, 3] })).toThrow('unpatchify: tokens must be [B, 6, 9 * C]')
  expect(() => unpatchify(tokens, { patchSize: 2, grid: [0, 3] })).toThrow('rows of grid must be a positive integer')
})
