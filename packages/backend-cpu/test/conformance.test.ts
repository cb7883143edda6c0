import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Backend } from '@dit/tensor'
import { cpu } from '../src/index.js'

describe.each([1, 2])('on %i threads of WebAssembly', (threads) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await cpu({ engine: 'wasm', threads })
  })
  afterAll(async () => {
    await backend.dispose()
  })

  test.each(conformanceCases({ exactNormals: true }))('$name', async ({ run }) => {
    expect(await run(backend)).toBeLessThanOrEqual(1)
  })
})
