import { reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { describeWebGpu } from '../src/index.js'
import { nullBackend } from './drivers.js'
import { training } from './training.js'

test('500 steps leave as many buffers, bytes, reserved bytes and kernels as two', async () => {
  const backend = await nullBackend()
  const { step } = await training(backend, reference(), { B: 2, N: 16, D: 64, depth: 1, numHeads: 1 })
  const look = () => {
    const { reservedBytes, kernels } = describeWebGpu(backend)
    return { ...backend.memory(), reservedBytes, kernels }
  }
  for (let i = 0; i < 2; i++) step().dispose()
  const first = look()
  for (let i = 2; i < 500; i++) step().dispose()
  expect(look()).toEqual(first)
  await backend.dispose()
})
