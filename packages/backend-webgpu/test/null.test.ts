import { reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { describeWebGpu } from '../src/index.js'
import { nullBackend } from './drivers.js'
import { type Extents, training } from './training.js'

// On the engine that checks every call and computes nothing: what is counted does not depend on values.
const twelve = { B: 2, N: 16, D: 64, depth: 12, numHeads: 1 }

test('a training step of 12 blocks takes at most 400 dispatches and two submits', async () => {
  const backend = await nullBackend()
  const { step } = await training(backend, reference(), twelve)
  step().dispose()
  const before = describeWebGpu(backend)
  await step().data()
  const { dispatches, submits } = describeWebGpu(backend)
  expect(dispatches - before.dispatches).toBeLessThanOrEqual(400)
  expect(submits - before.submits).toBeLessThanOrEqual(3)
  await backend.dispose()
})

test('a training step takes as many dispatches with matrix units as without', async () => {
  const dispatches: number[] = []
  for (const units of [{}, { matrixUnits: { M: 16, N: 16, K: 16 } }]) {
    const backend = await nullBackend({ precision: 'f16', ...units })
    const { step } = await training(backend, reference(), { ...twelve, depth: 2 })
    step().dispose()
    const before = describeWebGpu(backend).dispatches
    await step().data()
    dispatches.push(describeWebGpu(backend).dispatches - before)
    await backend.dispose()
  }
  expect(dispatches[1]).toBe(dispatches[0])
})

test('a block with RMS norms, QK norm, rotary positions and SwiGLU takes at most 6 dispatches more', async () => {
  const dispatchesOf = async (extents: Extents) => {
    const backend = await nullBackend()
    const { step } = await training(backend, reference(), extents)
    step().dispose()
    const before = describeWebGpu(backend).dispatches
    await step().data()
    const { dispatches } = describeWebGpu(backend)
    await backend.dispose()
    return dispatches - before
  }
  const plain = await dispatchesOf(twelve)
  expect(await dispatchesOf({ ...twelve, isModern: true })).toBeLessThanOrEqual(plain + 6 * twelve.depth)
})

test('20 steps leave as many buffers, bytes, reserved bytes and kernels as two', async () => {
  const backend = await nullBackend()
  const { step } = await training(backend, reference(), { ...twelve, depth: 1 })
  const look = () => {
    const { reservedBytes, kernels } = describeWebGpu(backend)
    return { ...backend.memory(), reservedBytes, kernels }
  }
  for (let i = 0; i < 2; i++) step().dispose()
  const first = look()
  for (let i = 2; i < 20; i++) step().dispose()
  expect(look()).toEqual(first)
  await backend.dispose()
})
