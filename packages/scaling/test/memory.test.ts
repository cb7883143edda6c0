import { describe, expect, test } from 'vitest'
import { countParameters, memoryBytes, type MemoryOptions } from '../src/index.js'
import { published, tiny, tinyWith } from './published-models.js'

const [N, D, M, A] = [6, 4, 10, 2 * 36]
const savedInBlock = 10 * N * D + 2 * N * M + A + 4 * N + 6 * D
const around = N * (4 + 4) + 2 * N * D + 2 * N + 6 * D
const backward = N * D + 3 * N * D // 72, as much as the attention weights and more than N M = 60

test('a tiny training step counted on paper', () => {
  const { total, trainable } = countParameters(tiny)
  const bytes = {
    parameters: 4 * total,
    gradients: 4 * trainable,
    optimizer: 8 * trainable,
    ema: 4 * total,
    activations: 4 * 3 * (savedInBlock + around + backward),
  }
  const sum = Object.values(bytes).reduce((a, b) => a + b)
  expect(memoryBytes(tiny, { training: true, batchSize: 3, storesAttention: true })).toEqual({ ...bytes, total: sum })
})

test('a forward pass needs parameters and the widest moment of one block', () => {
  const forward = N * 8 + N * D + 6 * D + (4 * N * D + A)
  const { total } = countParameters(tiny)
  const parameters = total * 2
  const activations = forward * 2 * 5
  expect(memoryBytes(tiny, { batchSize: 5, dtypeBytes: 2, storesAttention: true })).toEqual({
    parameters,
    gradients: 0,
    optimizer: 0,
    ema: 0,
    activations,
    total: parameters + activations,
  })
})

test('recomputing by block stores the input of each block and the whole of one', () => {
  const deep = tinyWith({ depth: 7 })
  const { activations } = memoryBytes(deep, { training: true, recompute: 'block', storesAttention: true })
  expect(activations).toBe(4 * (7 * N * D + savedInBlock + around + backward))
  const xl = published('XL', 2)
  const stored = memoryBytes(xl, { training: true }).activations
  expect(memoryBytes(xl, { training: true, recompute: 'block' }).activations).toBeLessThan(stored / 8)
})

test('recomputing some blocks lies between recomputing none and all', () => {
  const deep = tinyWith({ depth: 7 })
  const activations = (recompute: 'none' | 'block' | number) =>
    memoryBytes(deep, { training: true, recompute, storesAttention: true }).activations
  expect(activations(0)).toBe(activations('none'))
  expect(activations(7)).toBe(activations('block'))
  expect(activations(3)).toBe(4 * (3 * N * D + 4 * savedInBlock + around + backward))
})

test('activations grow with the batch, the rest does not', () => {
  const one = memoryBytes(tiny, { training: true })
  const four = memoryBytes(tiny, { training: true, batchSize: 4 })
  expect(four).toEqual({
    ...one,
    activations: 4 * one.activations,
    total: one.total + 3 * one.activations,
  })
})

test('moments and EMA stay float32 in half precision', () => {
  const full = memoryBytes(tiny, { training: true })
  const half = memoryBytes(tiny, { training: true, dtypeBytes: 2 })
  expect([half.optimizer, half.ema]).toEqual([full.optimizer, full.ema])
  expect([half.parameters, half.gradients, half.activations].map((bytes) => bytes * 2)).toEqual([
    full.parameters,
    full.gradients,
    full.activations,
  ])
})

test('without optimizer, EMA and stored attention weights there is less', () => {
  const bare = memoryBytes(tiny, { training: true, optimizer: 'none', ema: false, storesAttention: false })
  expect([bare.optimizer, bare.ema]).toEqual([0, 0])
  expect(bare.activations).toBe(memoryBytes(tiny, { training: true }).activations)
  const kept = savedInBlock - A + 2 * N
  expect(bare.activations).toBe(4 * (kept + around + backward))
})

describe('refuses', () => {
  test.each<[MemoryOptions, string]>([
    [{ batchSize: 0 }, 'memoryBytes: batchSize must be a positive integer (0)'],
    [{ dtypeBytes: 0.5 }, 'memoryBytes: dtypeBytes must be a positive integer (0.5)'],
    [{ optimizer: 'adam' as never }, "memoryBytes: optimizer must be 'adamw' or 'none' (adam)"],
    [
      { recompute: 'all' as never },
      "memoryBytes: recompute must be 'none', 'block' or a number of blocks up to 1 (all)",
    ],
  ])('%j', (options, text) => {
    expect(() => memoryBytes(tiny, options)).toThrow(RangeError)
    expect(() => memoryBytes(tiny, options)).toThrow(text)
  })

  test('a network that cannot be', () => {
    const sizes = { ...tiny.sizes, hiddenSize: -4 }
    expect(() => memoryBytes({ ...tiny, sizes })).toThrow('memoryBytes: hiddenSize must be an integer, 0 or more (-4)')
  })
})
