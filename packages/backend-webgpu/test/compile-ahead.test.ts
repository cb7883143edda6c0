import { full, reference, scope, silu } from '@dit/tensor'
import { expect, test } from 'vitest'
import { compileAhead, describeWebGpu } from '../src/index.js'
import { nullBackend } from './drivers.js'
import { training } from './training.js'

test('after a rehearsed step the real one compiles nothing', async () => {
  const backend = await nullBackend()
  const run = await training(backend, reference(), { B: 2, N: 16, D: 64, depth: 1, numHeads: 1 })
  const { dispatches, kernels } = describeWebGpu(backend)
  const progress: number[] = []
  const compiled = await compileAhead(
    backend,
    async () => {
      const loss = run.step()
      await loss.data()
      loss.dispose()
    },
    { onProgress: ({ done, total }) => progress.push(done / total) },
  )
  expect(compiled).toBeGreaterThan(15)
  expect(progress).toHaveLength(compiled)
  expect(progress.at(-1)).toBe(1)
  expect(describeWebGpu(backend)).toMatchObject({ dispatches, kernels: kernels + compiled })
  await run.step().data()
  expect(describeWebGpu(backend).kernels).toBe(kernels + compiled)
  expect(describeWebGpu(backend).dispatches).toBeGreaterThan(dispatches)
  await backend.dispose()
})

test('nothing is left behind, and what is compiled is not compiled again', async () => {
  const backend = await nullBackend()
  const x = full([5], 1, { backend })
  const { buffers, bytes } = backend.memory()
  const work = () => scope(() => void silu(x))
  expect(await compileAhead(backend, work)).toBe(1)
  expect(await compileAhead(backend, work)).toBe(0)
  expect(backend.memory()).toMatchObject({ buffers, bytes })
  await backend.dispose()
})

test('it takes only backends of webgpu', async () => {
  await expect(compileAhead(reference(), () => {})).rejects.toThrow(
    'compileAhead: the backend must be one that webgpu() made (got reference)',
  )
})
