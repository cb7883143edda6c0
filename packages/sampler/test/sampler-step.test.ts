import { lastStep, type SamplerStep } from '@dit/sampler'
import { reference, tensor, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'

const backend = reference()
await useBackend(backend)

async function* steps(isOne: boolean): AsyncGenerator<SamplerStep> {
  const xt = tensor([1, 2], [1, 2])
  const x0 = isOne ? xt : tensor([3, 4], [1, 2])
  yield { index: 0, numSteps: 1, timestep: 0, xt, x0 }
}

test.each([
  ['the same tensor', true],
  ['two tensors', false],
])('the last state survives where it and the estimate are %s, and nothing else does', async (_, isOne) => {
  const before = backend.memory().buffers
  const xt = await lastStep(steps(isOne))
  expect([...(await xt.data())]).toEqual([1, 2])
  xt.dispose()
  expect(xt.isAlive).toBe(false)
  expect(backend.memory().buffers).toBe(before)
})
