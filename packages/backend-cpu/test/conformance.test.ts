import type { Backend } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpu } from '../src/index.js'
import { availableEngines } from './engines.js'

const cases = conformanceCases({ exactNormals: true })

describe.each(availableEngines())('$label', ({ options }) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await cpu(options)
  })
  afterAll(async () => {
    await backend.dispose()
  })

  test.each(cases)('$name', async ({ run }) => {
    expect(await run(backend)).toBeLessThanOrEqual(1)
  })
})
