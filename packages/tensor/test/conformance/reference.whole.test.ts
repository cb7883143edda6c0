import { type Backend, reference } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
import { describe, expect, test } from 'vitest'
import { fusedReference } from '../fused-reference.js'
import { naiveFloat32 } from '../naive-float32.js'

const cases = conformanceCases()

describe.each([fusedReference(), naiveFloat32()])('$name', (backend) => {
  test.each(cases)('$name', async ({ run }) => {
    expect(await run(backend)).toBeLessThanOrEqual(1)
  })
})

/** One buffer a tensor, as on engines whose tensors cannot share one. */
const withoutViews: Backend = { ...reference(), name: 'without views', supportsViews: false }

test.each(cases.filter(({ group }) => group === 'views' || group === 'memory'))(
  'without views, $name',
  async ({ run }) => {
    expect(await run(withoutViews)).toBeLessThanOrEqual(1)
  },
)
