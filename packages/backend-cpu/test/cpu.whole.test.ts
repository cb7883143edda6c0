import { expect, test } from 'vitest'
import { cpu } from '../src/index.js'
import { loadAddon } from '../src/native/addon.js'
import { training } from './train.js'

const engines: readonly ('native' | 'wasm')[] = typeof loadAddon() === 'string' ? ['wasm'] : ['wasm', 'native']

test.each(engines)('500 steps of training on %s leave as many buffers and bytes as the first', async (engine) => {
  const backend = await cpu({ engine, threads: 2 })
  const run = training(backend)
  await run.step()
  const before = backend.memory()
  for (let i = 0; i < 500; i++) await run.step()
  expect(backend.memory()).toEqual(before)
  run.dispose()
  await backend.dispose()
})
