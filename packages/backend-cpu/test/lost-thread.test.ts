import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type * as workerThreads from 'node:worker_threads'
import { full } from '@dit/tensor'
import { expect, test, vi } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { cpu } from '../src/index.js'
import { compilerVersion } from '../tools/build-wasm.js'

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

const compiler = process.env['CC'] ?? 'cc'
const isHere = process.platform !== 'win32' && compilerVersion(compiler) !== null
const testCompiled = testNeeding('compiler', isHere, `no C compiler (${compiler})`)

testCompiled('a thread that stays in a kernel is given up, and later kernels fail at once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dit-lost-thread-'))
  try {
    const program = join(folder, 'lost-thread')
    const sources = ['lost-thread.c', '../csrc/pool_threads.c']
    execFileSync(compiler, ['-std=gnu11', '-O1', '-pthread', ...sources, '-o', program], { cwd: import.meta.dirname })
    expect(execFileSync(program, { encoding: 'utf8', timeout: 20_000 })).toBe('1, then 1 at once\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
