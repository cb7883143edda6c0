import { conformanceCases } from '@dit/tensor/conformance'
import { tfjs } from '@dit/backend-tfjs'
import { expect, test } from 'vitest'

const backend = await tfjs({ engine: 'wasm' })

test.each(conformanceCases())('$name', async ({ run }) => {
  expect(await run(backend)).toBeLessThanOrEqual(1)
})
