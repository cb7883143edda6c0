import { type Backend, reference } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { describe, expect, test } from 'vitest'
import { fusedReference } from '../fused-reference.js'
import { naiveFloat32 } from '../naive-float32.js'

/** The oracle with float32 storage: every kernel computes in float64 and rounds once. */
const rounding: Backend = { ...reference(), name: 'rounding', float: 'f32', dtypes: ['f32', 'i32'] }

/** One buffer a tensor, as on engines whose tensors cannot share one. */
const withoutViews: Backend = { ...reference(), name: 'without views', supportsViews: false }

describe.each([reference(), rounding, withoutViews, fusedReference(), naiveFloat32()])('$name', (backend) => {
  test.each(conformanceCases())('$name', async ({ run }) => {
    expect(await run(backend)).toBeLessThanOrEqual(1)
  })
})
