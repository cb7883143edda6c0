import { reference } from '@dit/tensor'
import { tfjs } from '@dit/backend-tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { smallTraining, type SmallTraining } from './small-training.js'

async function losses({ step }: SmallTraining, steps: number): Promise<number[]> {
  const values: number[] = []
  for (let i = 0; i < steps; i++) values.push(await taken(step()))
  return values
}

async function taken(loss: ReturnType<SmallTraining['step']>): Promise<number> {
  const [value] = await loss.data()
  loss.dispose()
  return value
}

test('20 training steps leave as many buffers, bytes and tfjs tensors as the first', async () => {
  const backend = await tfjs({ engine: 'wasm' })
  const training = smallTraining(backend)
  await taken(training.step())
  const before = { ...backend.memory(), tensors: tf.memory().numTensors, data: tf.memory().numDataBuffers }
  for (let step = 2; step <= 20; step++) {
    await taken(training.step())
    const after = { ...backend.memory(), tensors: tf.memory().numTensors, data: tf.memory().numDataBuffers }
    expect(after, `after step ${step}`).toEqual(before)
  }
})

test.each(['wasm', 'cpu'] as const)('%s gives the same bits in every run', async (engine) => {
  const run = async () => {
    const training = smallTraining(await tfjs({ engine }))
    const values = await losses(training, 5)
    const params = await Promise.all(Object.values(training.params).map((x) => x.data()))
    await training.backend.dispose()
    return [new Float32Array(values), ...params]
  }
  expect(await run()).toEqual(await run())
})

test('two engines take turns and each gives what it gives alone', async () => {
  const alone: Record<string, number[]> = {}
  for (const engine of ['wasm', 'cpu'] as const) {
    alone[engine] = await losses(smallTraining(await tfjs({ engine })), 4)
  }
  const [wasm, cpu] = [smallTraining(await tfjs({ engine: 'wasm' })), smallTraining(await tfjs({ engine: 'cpu' }))]
  const together: Record<string, number[]> = { wasm: [], cpu: [] }
  for (let i = 0; i < 4; i++) {
    // Both losses are alive before either is read.
    const [first, second] = [wasm.step(), cpu.step()]
    together.wasm.push(await taken(first))
    together.cpu.push(await taken(second))
  }
  expect(together).toEqual(alone)
  const want = await losses(smallTraining(reference()), 4)
  // float32 beside float64, four steps that each amplify the difference a little.
  for (const values of Object.values(together)) {
    for (const [i, value] of values.entries()) expect(value / want[i]).toBeCloseTo(1, 3)
  }
})
