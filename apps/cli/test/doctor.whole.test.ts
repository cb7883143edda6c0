import { expect, test } from 'vitest'
import { runProcess, temporaryFolder } from './support/run-dit.js'

test('lists what is there, and is content where the engines work', async () => {
  const { code, stdout, stderr } = await runProcess(['doctor'])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout).toMatch(/node +ok +\d+\./)
  expect(stdout).toMatch(/sharp +ok/)
  expect(stdout).toMatch(/tfjs-wasm +ok +4\.\S+ \(simd128, \d+ threads?\), largest kernel error \S+ against float64/)
  expect(stdout).toMatch(/webgpu +(ok|missing) +\S/)
})

test('an engine that is not there makes the examination of all engines no less content', async () => {
  const { code, stdout, stderr } = await runProcess(['doctor'], { env: { DIT_TFJS_NODE: temporaryFolder() } })
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/tfjs-node +missing +@tensorflow\/tfjs-node is not installed\n +fix: npm install/)
})
