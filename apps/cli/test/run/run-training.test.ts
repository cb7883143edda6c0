import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { shapesDataset } from '@dit/data'
import { reference } from '@dit/tensor'
import { objectiveFromSpec } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { expect, test } from 'vitest'
import { createOutput } from '../../src/terminal/output.js'
import type { RunConfig } from '../../src/run/run-config.js'
import { runTraining } from '../../src/run/run-training.js'
import { temporaryFolder } from '../support/run-dit.js'
import { tinyConfig } from '../support/tiny-run.js'

/** Trains into a folder from data that cannot be read, or only so many times. */
async function trainOnUnreadable(folder: string, changes: Partial<RunConfig> = {}, numReads = 0): Promise<void> {
  const shapes = shapesDataset({ size: 4, length: 60 })
  let left = numReads
  const read: typeof shapes.read = (...args) =>
    left-- > 0 ? shapes.read(...args) : Promise.reject(new Error('unreadable'))
  const dataset = { ...shapes, read }
  const config = { ...tinyConfig, ...changes }
  const data = { dataset, config: tinyConfig.data, close: async () => {} }
  const engine = { backend: reference(), description: tinyConfig.engine }
  const objective = objectiveFromSpec(tinyConfig.objective)
  const rest = { isResume: false, allowInexact: false, moduleBatches: null }
  const prepared = { folder, config, objective, data, engine, ...rest }
  await runTraining(prepared, createOutput({ quiet: true }, process))
}

test('a run that fails before its first step is done leaves its name free', async () => {
  const folder = join(temporaryFolder(), 'run')
  await expect(trainOnUnreadable(folder)).rejects.toThrow('unreadable')
  expect(existsSync(folder)).toBe(false)
})

test('so does one that fails after its grid of training pictures', async () => {
  const folder = join(temporaryFolder(), 'run')
  // A grid reads each of the six classes once.
  await expect(trainOnUnreadable(folder, { sampleEvery: 2 }, 6)).rejects.toThrow('unreadable')
  expect(existsSync(folder)).toBe(false)
})

test('what was in the folder before stays', async () => {
  const folder = join(temporaryFolder(), 'run')
  mkdirSync(folder)
  writeFileSync(join(folder, 'notes.txt'), '')
  await expect(trainOnUnreadable(folder)).rejects.toThrow('unreadable')
  expect(readdirSync(folder)).toEqual(['notes.txt'])
})

test('a run that another process writes is left as it is', async () => {
  const folder = join(temporaryFolder(), 'run')
  const unlock = await folderRunStore(folder).lock()
  writeFileSync(join(folder, 'config.json'), 'of the other')
  await expect(trainOnUnreadable(folder)).rejects.toThrow('is already writing to')
  await unlock()
  expect(readdirSync(folder)).toEqual(['config.json'])
})
