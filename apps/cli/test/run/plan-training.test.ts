import { expect, test } from 'vitest'
import { planLines, planTraining } from '../../src/run/plan-training.js'

test('plans the options given and their neighbours, and says which fit', () => {
  const plan = planTraining({ model: 'DiT-XL/2', workers: 8, batch: 256, recompute: 'block', memory: 10 })
  expect(plan.rows.map(({ name, fits }) => [name, fits])).toEqual([
    ['as given', false],
    ['--recompute none', false],
    ['--recompute 14', false],
    ['--shard-optimizer', true],
    ['--micro-batch 16', false],
    ['16 workers', false],
    ['ZeRO 2', true],
    ['ZeRO 3', true],
  ])
  const lines = planLines(plan)
  expect(lines[0]).toMatch(/^675,\d{3},\d{3} parameters, 8 workers, 256 examples per step$/)
  expect(lines.find((line) => line.startsWith('ZeRO 2'))).toMatch(/fits, not in dit train$/)
})

test('sharding over four workers leaves a quarter of the moments and averages', () => {
  const [given, ...others] = planTraining({ model: 'DiT-B/4', workers: 4, batch: 64 }).rows
  const { memory } = others.find(({ name }) => name === '--shard-optimizer')!
  expect(memory.optimizer / given.memory.optimizer).toBeCloseTo(0.25, 6)
  expect(memory.ema / given.memory.ema).toBeCloseTo(0.25, 6)
})

test('refuses what `dit train` refuses', () => {
  expect(() => planTraining({ workers: 8, batch: 4 })).toThrow(
    'a batch of 4 is too small for 8 workers; raise --batch, or lower --workers',
  )
})
