import { cpu } from '@dit/backend-cpu'
import { type Backend, reference, tensor, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { threadCommunicator, threadGroup } from '../../src/node/index.js'
import { checkReplicas } from '../../src/parallel/check-replicas.js'

/** Three pieces and a bit. */
const SIZE = 3 * 2 ** 20 + 5

function segment(backend: Backend, change?: number): Tensor {
  const values = new Float32Array(SIZE)
  for (let i = 0; i < SIZE; i++) values[i] = i % 1000
  if (change !== undefined) values[change] += 1
  return tensor(values, [SIZE], { backend })
}

/** What each of two ranks, in one thread, finds. */
async function check(segments: readonly Tensor[]): Promise<PromiseSettledResult<void>[]> {
  const group = threadGroup(2)
  return Promise.allSettled(segments.map(async (of, rank) => checkReplicas(threadCommunicator(group, rank), [of])))
}

test('finds a difference in one element alone, wherever it is', async () => {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const whole = segment(backend)
  const same = await check([whole, whole])
  expect(same.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  for (const change of [0, 2 ** 20, SIZE - 1]) {
    const other = segment(backend, change)
    for (const result of await check([whole, other])) {
      expect(result, `element ${change}`).toMatchObject({
        reason: { message: expect.stringMatching(/^rank 1 has different parameters from rank 0/) },
      })
    }
    other.dispose()
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
