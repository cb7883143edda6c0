import { expect, test, vi } from 'vitest'

test('without a backend the error says how to choose one', async () => {
  // Other files of this process may have chosen one.
  vi.resetModules()
  const { currentBackend, reference, useBackend, zeros } = await import('@dit/tensor')
  expect(() => zeros([1])).toThrow('currentBackend: no backend was chosen; call `await useBackend(...)` first')
  const [first, second] = [reference(), reference()]
  await useBackend(first)
  const x = zeros([1])
  await useBackend(second)
  expect(currentBackend()).toBe(second)
  expect(x.backend).toBe(first)
})
