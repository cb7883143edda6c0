import { randomNormal, randomStream, sum } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { cpu, describeCpu, type InstructionSet } from '../src/index.js'
import { availableEngines } from './engines.js'
import { training } from './train.js'

const engines = [
  ...new Set(availableEngines().map(({ options: { engine, instructionSet } }) => `${engine} ${instructionSet}`)),
]

describe.each(engines)('%s', (label) => {
  const [engine, instructionSet] = label.split(' ') as ['native' | 'wasm', InstructionSet]
  const onThreads = (threads: number) => cpu({ engine, threads, instructionSet })

  test('a training run has the same bits on 1, 2 and 3 threads', async () => {
    const runs = []
    for (const threads of [1, 2, 3]) {
      const backend = await onThreads(threads)
      const run = training(backend)
      const losses = []
      for (let i = 0; i < 5; i++) losses.push(await run.step())
      const parameters = await Promise.all(Object.values(run.params).map((x) => x.data()))
      runs.push({ losses, parameters })
      await backend.dispose()
    }
    expect(runs[1]).toEqual(runs[0])
    expect(runs[2]).toEqual(runs[0])
    expect(runs[0].losses[4]).toBeLessThan(runs[0].losses[0])
  })

  test('a sum over a million numbers has the same bits on 1, 2 and 3 threads', async () => {
    const sums = []
    for (const threads of [1, 2, 3]) {
      const backend = await onThreads(threads)
      const x = randomNormal([1_000_003], randomStream(0), { backend })
      sums.push((await sum(x).data())[0])
      await backend.dispose()
    }
    expect(new Set(sums).size).toBe(1)
  })
})

test('describeCpu tells what runs', async () => {
  for (const instructionSet of ['simd128', 'relaxed-simd'] as const) {
    const backend = await cpu({ threads: 2, instructionSet })
    expect(backend.name).toBe('cpu-wasm')
    expect(describeCpu(backend)).toEqual({ engine: 'wasm', simd: 4, threads: 2, instructionSet })
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
