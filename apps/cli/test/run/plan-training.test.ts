import { expect, test } from 'vitest'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PlanFlags } from '../../src/commands/plan.js'
import { reportModel } from '../../src/commands/model-report.js'
import { planLines, plannedData, planTraining } from '../../src/run/plan-training.js'
import { denoisingOf } from '../../src/run/objective-config.js'
import { resolveRun } from '../../src/run/resolve-run.js'
import { temporaryFolder } from '../support/run-dit.js'

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
  expect(lines[0]).toMatch(/^675,\d{3},\d{3} parameters, 1,000 classes, 8 workers, 256 examples per step$/)
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

test('classes are those of the data, and may not be told otherwise', async () => {
  const planned = (flags: PlanFlags) => plannedData(flags, { line() {} })
  const data = temporaryFolder()
  for (const name of ['cat', 'dog', 'eel']) {
    mkdirSync(join(data, name))
    writeFileSync(join(data, name, '1.png'), '')
  }
  expect(await planned({ data })).toEqual({ classes: 3, pictures: 3 })
  expect(await planned({ data: 'shapes' })).toEqual({ classes: 6, pictures: 60_000 })
  expect(await planned({})).toEqual({ classes: 1000 })
  expect(await planned({ classes: 5 })).toEqual({ classes: 5 })
  await expect(planned({ epochs: 2 })).rejects.toThrow(/^--epochs needs --data or --latents/)
  await expect(planned({ data, classes: 5 })).rejects.toThrow(/^--classes 5: .* has 3 classes; leave one/)
  await expect(planned({ data: join(data, 'cat') })).rejects.toThrow(/^--data: .* has no class sub-folders/)
  await expect(planned({ data: join(data, 'none') })).rejects.toThrow(/^--data .*: no such folder/)
  await expect(planned({ latents: data })).rejects.toThrow(/^--latents .*encode latents with `dit encode`/)
  await expect(planned({ latents: data, size: 32 })).rejects.toThrow(/^--size is for pictures/)
})

test('the activations are those that `dit info` shows', () => {
  const [given] = planTraining({ model: 'DiT-S/2', batch: 16, size: 32 }).rows
  const { model } = denoisingOf(resolveRun({ model: 'DiT-S/2', batch: 16, size: 32 }, 1000), 'test')
  expect(given.memory.activations).toBe(reportModel(model, 16).memory.training.activations)
})

test('many pixels with a model of the paper point to latents', () => {
  const { notices } = planTraining({ model: 'DiT-XL/2', size: 256 })
  expect(notices.join()).toMatch(/^256x256 pixels are 16,384 tokens, 64 times .* `dit encode` .* --size 32$/)
  expect(planTraining({ model: 'DiT-XL/2', size: 64 }).notices).toEqual([])
  expect(planTraining({ size: 256 }).notices).toEqual([])
  expect(planTraining({ model: 'DiT-XL/2' }, { classes: 9, latents: { channels: 4, size: 128 } }).notices).toEqual([])
})
