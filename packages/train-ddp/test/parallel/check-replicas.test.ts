import { cpu } from '@dit/backend-cpu'
import { type Backend, reference, tensor, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { threadCommunicator, threadGroup } from '../../src/node/index.js'
import { checkReplicas } from '../../src/parallel/check-replicas.js'

/** Three pieces and a bit. */
const SIZE = 3 * 2 ** 20 + 5

function segment(backend: Backend, change?: number): Tensor {
  const values = Float32Array.from({ length: SIZE }, (_, i) => i % 1000)
  if (change !== undefined) values[change] += 1
  return tensor(values, [SIZE], { backend })
}

/** What each of two ranks, in one thread, finds. */
async function check(segments: readonly Tensor[]): Promise<PromiseSettledResult<void>[]> {
  const group = threadGroup(2)
  return Promise.allSettled(segments.map(async (of, rank) => checkReplicas(threadCommunicator(group, rank), [of])))
}

test.each([0, 2 ** 20, SIZE - 1])('finds a difference in element %i alone', async (change) => {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const same = await check([segment(backend), segment(backend)])
  expect(same.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  const results = await check([segment(backend), segment(backend, change)])
  for (const result of results) {
    expect(result).toMatchObject({
      reason: { message: expect.stringMatching(/^rank 1 has other parameters than rank 0/) },
    })
  }
  await backend.dispose()
})

test('holds a piece on the host, not all', async () => {
  const lengths: number[] = []
  const own = reference()
  const backend: Backend = {
    ...own,
    read(x, into) {
      lengths.push(into.length)
      return own.read!(x, into)
    },
  }
  await check([segment(backend), segment(backend)])
  expect(Math.max(...lengths)).toBe(2 ** 20)
  expect(lengths.reduce((a, b) => a + b)).toBe(2 * SIZE)
})
