import { tfjs } from '@dit/backend-tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { smallTraining, type SmallTraining } from './small-training.js'

async function taken({ step }: SmallTraining): Promise<number> {
  const loss = step()
  const [value] = await loss.data()
  loss.dispose()
  return value
}

test('500 training steps learn, and leave as many buffers, bytes and tfjs tensors as the first', async () => {
  const backend = await tfjs({ engine: 'wasm' })
  const training = smallTraining(backend)
  const first = await taken(training)
  const before = { ...backend.memory(), tensors: tf.memory().numTensors, data: tf.memory().numDataBuffers }
  let last = first
  for (let step = 2; step <= 500; step++) {
    last = await taken(training)
    const after = { ...backend.memory(), tensors: tf.memory().numTensors, data: tf.memory().numDataBuffers }
    expect(after, `after step ${step}`).toEqual(before)
  }
  expect(last).toBeLessThan(0.05 * first)
})
