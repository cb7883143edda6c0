import { conformanceCases } from '@dit/tensor/conformance'
import { tfjs } from '@dit/backend-tfjs'
import { describe, expect, test } from 'vitest'

describe.each([await tfjs({ engine: 'wasm' }), await tfjs({ engine: 'cpu' })])('$name', (backend) => {
  test.each(conformanceCases())('$name', async ({ run }) => {
    expect(await run(backend)).toBeLessThanOrEqual(1)
  })
})
