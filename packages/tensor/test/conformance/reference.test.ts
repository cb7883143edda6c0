import { reference } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { expect, test } from 'vitest'

const backend = reference()

test.each(conformanceCases())('$name', async ({ run }) => {
  expect(await run(backend)).toBeLessThanOrEqual(1)
})
