import { setTimeout } from 'node:timers/promises'
import type * as workerThreads from 'node:worker_threads'
import { full } from '@dit/tensor'
import { expect, test, vi } from 'vitest'
import { cpu } from '../src/index.js'

const workers: workerThreads.Worker[] = []

// The very workers that the backend starts, so that the test can end one of them.
const { Worker } = process.getBuiltinModule('node:worker_threads')
const getBuiltinModule = process.getBuiltinModule.bind(process)
vi.spyOn(process, 'getBuiltinModule').mockImplementation((name: string) => {
  if (name !== 'node:worker_threads') return getBuiltinModule(name)
  class Noted extends Worker {
    constructor(...options: ConstructorParameters<typeof Worker>) {
      super(...options)
      workers.push(this)
    }
  }
  return { Worker: Noted }
})

test('a thread that ends by itself makes the next kernel an error, not a hang', async () => {
  const backend = await cpu({ engine: 'wasm', threads: 2 })
  full([8], 1, { backend })
  await workers[0].terminate()
  await setTimeout(20)
  expect(() => full([8], 1, { backend })).toThrow('cpu-wasm: a thread ended (exit code 1); make a new backend')
  await backend.dispose()
})
