import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GENERATED_CLASSES, isGeneratedName, openGenerated } from '../src/run/generated-data.js'
import { runDit, temporaryFolder } from './support/run-dit.js'

const tiny = [
  '--hidden',
  '16',
  '--depth',
  '1',
  '--heads',
  '1',
  '--patch',
  '8',
  '--batch',
  '2',
  '--steps',
  '2',
  '--warmup',
  '1',
]

test('opens both generated data sets, with their classes', () => {
  expect(isGeneratedName('sprites')).toBe(true)
  expect(isGeneratedName('photos')).toBe(false)
  for (const kind of ['shapes', 'sprites'] as const) {
    const { dataset, config } = openGenerated(kind, 64)
    expect(dataset.classes).toEqual(GENERATED_CLASSES[kind])
    expect(dataset.shape).toEqual([3, 64, 64])
    expect(config).toEqual({ kind, size: 64, length: 60_000, seed: 0 })
  }
})

test('trains on sprites, and goes on', async () => {
  const cwd = temporaryFolder()
  const args = ['train', '--data', 'sprites', ...tiny, '--backend', 'reference', '--no-flip', '--sample-every', 'none']
  const trained = await runDit([...args, '--out', 'run'], { cwd })
  expect(trained.stderr).toBe('')
  expect(trained.code).toBe(0)
  expect(trained.stdout).toContain('60,000 generated sprites, 32x32, 8 classes, not mirrored')
  const config = JSON.parse(await readFile(join(cwd, 'run', 'config.json'), 'utf8')) as { data: object }
  expect(config.data).toEqual({ kind: 'sprites', size: 32, length: 60_000, seed: 0 })
  const resumed = await runDit(['train', '--resume', 'run', '--steps', '3', '--allow-inexact'], { cwd })
  expect(resumed.stderr).toContain('planned for 2 steps and now for 3')
  expect(resumed.code).toBe(0)
  expect((await runDit(['info', 'run'], { cwd })).stdout).toContain('60,000 generated sprites')
})

test('refuses a size that sprites cannot have, and options of folders', async () => {
  const size = await runDit(['train', '--data', 'sprites', '--size', '48', ...tiny])
  expect(size.stderr).toContain(
    '--size must be a multiple of 32 for sprites, which are drawn on a grid of 32 x 32 (got 48)',
  )
  const option = await runDit(['train', '--data', 'sprites', '--skip-bad', ...tiny])
  expect(option.stderr).toContain('--skip-bad is for folders of pictures, but the data are sprites, which dit draws')
  const names = await runDit(['train', '--data', 'sprites', '--class-names', 'names.json', ...tiny])
  expect(names.stderr).toContain('sprites have names')
})

test('plans for sprites', async () => {
  const plan = await runDit(['plan', ...tiny.slice(0, 10), '--data', 'sprites', '--epochs', '0.5'])
  expect([plan.stderr, plan.code]).toEqual(['', 0])
})
