import { randomNormal, randomStream, sum } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { cpu, type CpuOptions } from '../src/index.js'
import { training } from './train.js'

const nameOf = ({ engine, instructionSet, multiply }: CpuOptions) =>
  [engine, instructionSet, multiply].filter((each) => each !== undefined).join(' ')

/** The same bits on any number of threads, on each engine. */
export function describeThreads(engines: readonly CpuOptions[]): void {
  describe.each(engines.map((options) => ({ name: nameOf(options), options })))('$name', ({ options: engine }) => {
    const onThreads = (threads: number) => cpu({ ...engine, threads })

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
}
