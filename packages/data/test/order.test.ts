import { assert, integer, nat, property, record } from 'fast-check'
import { expect, test } from 'vitest'
import { batchIndices, epochOrder } from '../src/index.js'

test('an epoch reads every picture once, in an order of its own', () => {
  const first = epochOrder(50, 7, 0)
  expect([...first].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
  expect(epochOrder(50, 7, 0)).toEqual(first)
  expect(epochOrder(50, 7, 1)).not.toEqual(first)
  expect(epochOrder(50, 8, 0)).not.toEqual(first)
})

test('steps read the epochs one after the other without a gap', () => {
  const read: number[] = []
  for (let step = 0; step < 5; step++) read.push(...batchIndices({ length: 10, batchSize: 4, seed: 3, step }).indices)
  expect(read).toEqual([...epochOrder(10, 3, 0), ...epochOrder(10, 3, 1)])
})

test('a batch larger than the dataset spans several epochs', () => {
  const { indices } = batchIndices({ length: 3, batchSize: 8, seed: 0, step: 0 })
  expect([...indices]).toEqual([...epochOrder(3, 0, 0), ...epochOrder(3, 0, 1), ...epochOrder(3, 0, 2).subarray(0, 2)])
})

test("the workers' shares join to the whole batch, flips included", () => {
  const plan = record({
    length: integer({ min: 1, max: 40 }),
    batchSize: integer({ min: 1, max: 50 }),
    seed: nat(1000),
    step: nat(1000),
  })
  assert(
    property(plan, integer({ min: 1, max: 9 }), (plan, worldSize) => {
      const whole = batchIndices(plan)
      const shares = Array.from({ length: worldSize }, (_, rank) => batchIndices({ ...plan, rank, worldSize }))
      expect(shares.flatMap((share) => [...share.indices])).toEqual([...whole.indices])
      expect(shares.flatMap((share) => [...share.flips])).toEqual([...whole.flips])
      for (const { offset, indices } of shares) {
        expect(whole.indices.subarray(offset, offset + indices.length)).toEqual(indices)
        expect(Math.abs(indices.length - plan.batchSize / worldSize)).toBeLessThan(1)
      }
    }),
    { numRuns: 50 },
  )
})

test('about half of the pictures are mirrored', () => {
  const { flips } = batchIndices({ length: 10, batchSize: 10_000, seed: 1, step: 2 })
  // A fair coin's share deviates by 0.005; 4 deviations.
  expect(Math.abs(flips.reduce((sum, flip) => sum + flip, 0) / 10_000 - 0.5)).toBeLessThan(0.02)
})

test('refuses arguments out of range', () => {
  const plan = { length: 10, batchSize: 4, seed: 0, step: 0 }
  expect(() => batchIndices({ ...plan, step: -1 })).toThrow(
    'batchIndices: step must be a non-negative integer (step is -1)',
  )
  expect(() => batchIndices({ ...plan, length: 0 })).toThrow(
    'batchIndices: length, batchSize and worldSize must be at least 1 (length 0, batchSize 4, worldSize 1)',
  )
  expect(() => batchIndices({ ...plan, rank: 2, worldSize: 2 })).toThrow(
    'batchIndices: rank must be below worldSize (rank 2, worldSize 2)',
  )
  expect(() => epochOrder(1.5, 0, 0)).toThrow('epochOrder: length must be a non-negative integer (length is 1.5)')
})
