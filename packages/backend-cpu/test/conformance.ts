import type { Backend } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpu } from '../src/index.js'
import type { Engine } from './engines.js'

const cases = conformanceCases({ exactNormals: true })

/** One test a case of the suite, on each engine. */
export function describeConformance(engines: readonly Engine[]): void {
  describe.each(engines)('$label', ({ options }) => {
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
}
