import { type Backend, reference } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { describe, expect, test } from 'vitest'

/** The oracle with float32 storage: every kernel computes in float64 and rounds once. */
const rounding: Backend = { ...reference(), name: 'rounding', float: 'f32', dtypes: ['f32', 'i32'] }

describe.each([reference(), rounding])('$name', (backend) => {
  test.each(conformanceCases())('$name', async ({ run }) => {
    expect(await run(backend)).toBeLessThanOrEqual(1)
  })
})
