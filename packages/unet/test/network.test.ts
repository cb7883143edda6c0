import { toFloat32Array } from '@dit/tensor'
import { cpu } from '@dit/backend-cpu'
import { denoising, memoryRunStore, smallRecipe, train, wholeBatches } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { unet } from '../src/index.js'
import { backend, TINY } from './tiny.js'

const batch = (labels: ArrayLike<number>, data = new Float32Array(32 * labels.length)) => ({
  count: labels.length,
  arrays: { x0: { data, shape: [1, 4, 8] }, labels: { data: Int32Array.from(labels), shape: [] } },
})

test('begins as the zero function, with the same numbers for the same seed', async () => {
  const network = unet(TINY)
  const params = network.init({ seed: 5, backend })
  const values = await toFloat32Array(params['input_blocks.1.0.in_layers.2.weight'])
  expect(await toFloat32Array(network.init({ seed: 5, backend })['input_blocks.1.0.in_layers.2.weight'])).toEqual(
    values,
  )
  const bound = 1 / Math.sqrt(4 * 9)
  expect(values.every((value) => Math.abs(value) <= bound)).toBe(true)
  expect(Math.max(...values)).toBeGreaterThan(bound / 2)
  expect([...(await toFloat32Array(params['out.2.weight']))].every((value) => value === 0)).toBe(true)
  expect([...(await toFloat32Array(params['out.0.weight']))].every((value) => value === 1)).toBe(true)
})

test('labels are dropped in training, at the same places whatever the micro-batch, and never when evaluating', () => {
  const network = unet({ ...TINY, classDropout: 0.5 })
  const labels = Int32Array.from({ length: 64 }, (_, i) => i % 3)
  expect(network.conditions(batch(labels), null)).toEqual(labels)
  const dropped = network.conditions(batch(labels), { seed: 1, step: 2, start: 0 })
  const numDropped = dropped.filter((label) => label === 3).length
  expect(numDropped).toBeGreaterThan(16)
  expect(numDropped).toBeLessThan(48)
  expect(dropped.every((label, i) => label === 3 || label === labels[i])).toBe(true)
  const second = network.conditions(batch(labels.subarray(32)), { seed: 1, step: 2, start: 32 })
  expect(second).toEqual(dropped.subarray(32))
  expect(() => network.conditions(batch([0, 3]), null)).toThrow('unet: labels must be in 0..2 (got 3)')
  expect(() => network.conditions({ count: 1, arrays: {} }, null)).toThrow('unet: labels must be an Int32Array')
})

test('the trainer trains it', async () => {
  // One picture a class: stripes of another width.
  const picture = (label: number) => Float32Array.from({ length: 32 }, (_, i) => ((i >> label) % 2 === 0 ? 1 : -1))
  const labels = [0, 1, 2, 0]
  const data = wholeBatches(async () =>
    batch(labels, Float32Array.from(labels.flatMap((label) => [...picture(label)]))),
  )
  const losses: number[] = []
  const recipe = { ...smallRecipe, learningRate: 0.01, warmupSteps: 2, batchSize: 4 }
  const engine = await cpu({ threads: 1 })
  const events = train({
    objective: denoising(unet(TINY), { meanType: 'x0', varianceType: 'fixedSmall' }),
    recipe,
    data,
    backend: engine,
    seed: 0,
    steps: 60,
    store: memoryRunStore(),
  })
  for await (const event of events) if (event.type === 'step') losses.push(event.record.loss)
  await engine.dispose()
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  expect(mean(losses.slice(-10))).toBeLessThan(0.6 * mean(losses.slice(0, 5)))
})
