import { expect, test } from 'vitest'
import { cpu, describeCpu } from '../src/index.js'
import { quickEngines } from './engines.js'
import { describeThreads } from './threads.js'

describeThreads(quickEngines.map(({ options }) => options))

test('describeCpu tells what runs', async () => {
  for (const instructionSet of ['simd128', 'relaxed-simd'] as const) {
    const backend = await cpu({ threads: 2, instructionSet })
    expect(backend.name).toBe('cpu-wasm')
    expect(describeCpu(backend)).toEqual({
      engine: 'wasm',
      simd: 4,
      threads: 2,
      instructionSet,
      precision: 'f32',
      multiply: null,
    })
    await backend.dispose()
  }
})

test('auto takes at least one thread and at most 8', async () => {
  const backend = await cpu()
  const { threads } = describeCpu(backend)
  expect(threads).toBeGreaterThanOrEqual(1)
  expect(threads).toBeLessThanOrEqual(8)
  await backend.dispose()
})
