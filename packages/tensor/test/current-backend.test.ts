import { currentBackend, reference, useBackend, zeros } from '@dit/tensor'
import { expect, test } from 'vitest'

test('without a backend the error says how to choose one', async () => {
  expect(() => zeros([1])).toThrow('currentBackend: no backend was chosen; call `await useBackend(...)` first')
  const [first, second] = [reference(), reference()]
  await useBackend(first)
  const x = zeros([1])
  await useBackend(second)
  expect(currentBackend()).toBe(second)
  expect(x.backend).toBe(first)
})
