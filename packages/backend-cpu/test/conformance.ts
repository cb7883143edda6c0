import type { Backend } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpu } from '../src/index.js'
import type { Engine } from './engines.js'

/** One test a case of the suite, on each engine, whose groups match. */
export function describeConformance(engines: readonly Engine[], groups = /./): void {
  describe.each(engines)('$label', ({ options }) => {
    let backend: Backend
    beforeAll(async () => {
      backend = await cpu(options)
    })
    afterAll(async () => {
      await backend.dispose()
    })

    const operands = options.precision === 'bf16' ? { operands: 'bf16' as const } : {}
    const cases = conformanceCases({ exactNormals: true, ...operands }).filter(({ group }) => groups.test(group))
    test.each(cases)('$name', async ({ run }) => {
      expect(await run(backend)).toBeLessThanOrEqual(1)
    })
  })
}
