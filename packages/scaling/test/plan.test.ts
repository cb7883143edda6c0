import { expect, test } from 'vitest'
import { countParameters, memoryBytes, planMemory } from '../src/index.js'
import { published, tiny } from './published-models.js'

const job = { workers: 4, batchSize: 10 }

test('every worker of a plain job holds all, and the activations of its share', () => {
  const { total, trainable } = countParameters(tiny)
  const { activations } = memoryBytes(tiny, { training: true, batchSize: 3, storesAttention: false })
  const plan = planMemory(tiny, { ...job, imageBytes: 100, processBytes: 7 })
  expect(plan).toEqual({
    parameters: 4 * total,
    gradients: 4 * trainable,
    optimizer: 8 * trainable,
    ema: 4 * total,
    activations,
    transfers: 4 * trainable,
    batches: 3 * 3 * 100,
    process: 7,
    total: 4 * (2 * total + 4 * trainable) + activations + 900 + 7,
  })
})

test('each stage shares out one thing more', () => {
  const stages = ([0, 1, 2, 3] as const).map((stage) => planMemory(tiny, { ...job, stage }))
  const quarters = (name: 'optimizer' | 'ema' | 'gradients' | 'parameters') =>
    stages.map((plan) => Math.round((4 * plan[name]) / stages[0][name]) / 4)
  expect(quarters('optimizer')).toEqual([1, 0.25, 0.25, 0.25])
  expect(quarters('ema')).toEqual([1, 0.25, 0.25, 0.25])
  expect(quarters('gradients')).toEqual([1, 1, 0.25, 0.25])
  expect(quarters('parameters')).toEqual([1, 1, 1, 0.25])
})

test('one worker sends nothing; several never have more than 64 MiB on their way', () => {
  const xl = published('XL', 2)
  expect(planMemory(xl, { workers: 1, batchSize: 2, stage: 1 })).toMatchObject({ transfers: 0 })
  expect(planMemory(xl, { workers: 2, batchSize: 2 }).transfers).toBe(2 ** 26)
})

test('a micro-batch larger than the share is the share', () => {
  const plan = (microBatchSize: number) => planMemory(tiny, { ...job, microBatchSize }).activations
  expect(plan(100)).toBe(plan(3))
  expect(plan(1)).toBe(plan(3) / 3)
})

test.each([
  [{ workers: 0, batchSize: 4 }, 'planMemory: workers must be a positive integer (0)'],
  [{ workers: 2, batchSize: 1.5 }, 'planMemory: batchSize must be a positive integer (1.5)'],
  [{ workers: 3, batchSize: 2 }, 'planMemory: workers must be at most batchSize (3 workers, 2 images)'],
])('refuses %j', (plan, text) => {
  expect(() => planMemory(tiny, plan)).toThrow(text)
})
