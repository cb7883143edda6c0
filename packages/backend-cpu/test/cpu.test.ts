import { execFileSync } from 'node:child_process'
import { full, reference, tensor } from '@dit/tensor'
import { describe, expect, test, vi } from 'vitest'
import { cpu, describeCpu } from '../src/index.js'
import { loadAddon } from '../src/native/addon.js'
import { training } from './train.js'

const engines: readonly ('native' | 'wasm')[] = typeof loadAddon() === 'string' ? ['wasm'] : ['wasm', 'native']

test('refuses a number of threads that is none', async () => {
  await expect(cpu({ threads: 0 })).rejects.toThrow("cpu: threads must be 'auto' or an integer from 1 to 64 (got 0)")
  await expect(cpu({ threads: 1.5 })).rejects.toThrow(RangeError)
  await expect(cpu({ threads: 65 })).rejects.toThrow('(got 65)')
})

test('refuses an engine that it does not have', async () => {
  await expect(cpu({ engine: 'cuda' as 'wasm' })).rejects.toThrow(
    "cpu: engine must be 'native' or 'wasm' (got \"cuda\")",
  )
})

test('refuses an instruction set of the other engine', async () => {
  await expect(cpu({ engine: 'wasm', instructionSet: 'avx2' })).rejects.toThrow(
    'cpu: instructionSet of the wasm engine must be one of relaxed-simd, simd128 (got avx2)',
  )
  await expect(cpu({ engine: 'native', instructionSet: 'simd128' })).rejects.toThrow(
    'cpu: instructionSet of the native engine must be one of avx512, avx2, sse2, neon (got simd128)',
  )
  await expect(cpu({ instructionSet: 'mmx' as 'avx2' })).rejects.toThrow('(got mmx)')
})

test('says so where WebAssembly lacks relaxed SIMD', async () => {
  const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
  await expect(cpu({ instructionSet: 'relaxed-simd' })).rejects.toThrow(
    'cpu: WebAssembly has no relaxed-simd here; simd128 runs anywhere',
  )
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  expect(describeCpu(backend).instructionSet).toBe('simd128')
  await backend.dispose()
  validate.mockRestore()
})

test('takes the native engine by itself exactly where there is one', async () => {
  const backend = await cpu({ threads: 1 })
  expect(backend.name).toBe(`cpu-${engines.at(-1)}`)
  await backend.dispose()
})

test.runIf(!engines.includes('native'))('says why there is no native engine', async () => {
  await expect(cpu({ engine: 'native' })).rejects.toThrow('cpu: the native engine is not here: there is no build for')
})

test('describeCpu refuses other backends', () => {
  expect(() => describeCpu(reference())).toThrow('describeCpu: the backend must be one that cpu() made (got reference)')
})

test('memory beyond 4 GiB is an error that says how much is in use and what to do, and what was there stays', async () => {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const x = tensor([1, 2, 3], [3], { backend })
  const taken = [backend.allocate(2 ** 31 - 64)]
  expect(() => taken.push(backend.allocate(2 ** 31 - 64))).toThrow(
    /^cpu-wasm: WebAssembly reaches 4096 MiB; asked for 2048\.0 MiB with 2054\.\d MiB in use; make the batch smaller, or recompute instead of store$/,
  )
  expect(await x.data()).toEqual(Float32Array.of(1, 2, 3))
  for (const buffer of taken) backend.free(buffer)
  await backend.dispose()
})

describe.each(engines)('%s', (engine) => {
  test('a buffer cannot be freed twice', async () => {
    const backend = await cpu({ engine, threads: 1 })
    const buffer = backend.allocate(16)
    backend.free(buffer)
    expect(() => backend.free(buffer)).toThrow(`cpu-${engine}: buffer was freed before, or is not of this backend`)
    await backend.dispose()
  })

  test('after dispose every kernel is an error', async () => {
    for (const threads of [1, 2]) {
      const backend = await cpu({ engine, threads })
      await backend.dispose()
      expect(() => full([2], 0, { backend })).toThrow(`cpu-${engine}: the backend was disposed of`)
      await backend.dispose()
    }
  })

  test('20 steps of training leave as many buffers and bytes as the first', async () => {
    const backend = await cpu({ engine, threads: 2 })
    const run = training(backend)
    await run.step()
    const before = backend.memory()
    for (let i = 0; i < 20; i++) await run.step()
    expect(backend.memory()).toEqual(before)
    run.dispose()
    expect(backend.memory()).toMatchObject({ buffers: 0, bytes: 0 })
    await backend.dispose()
  })

  test('a process ends by itself although the threads were not disposed of', () => {
    const program = `
      const { cpu } = await import('@dit/backend-cpu')
      await cpu({ engine: '${engine}', threads: 2 })
      console.log('done')`
    const loader = new URL('../../../tools/typescript.mjs', import.meta.url).href
    const options = ['--conditions=@dit/source', '--import', loader, '--input-type=module', '-e', program]
    expect(execFileSync(process.execPath, options, { encoding: 'utf8', timeout: 60_000 })).toBe('done\n')
  })
})

test.runIf(engines.includes('native'))(
  'native memory has an end too, and the error says how much there is',
  async () => {
    const backend = await cpu({ engine: 'native', threads: 1 })
    expect(() => backend.allocate(2 ** 45)).toThrow(
      /^cpu-native: the machine has \d+\.\d MiB; asked for 33554432\.0 MiB with/,
    )
    await backend.dispose()
  },
)
