import { conformanceCases } from '@dit/tensor/conformance'
import { add, reference, tensor, zeros } from '@dit/tensor'
import { describeTfjs, fromTf, tfjs, toTf } from '@dit/backend-tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, onTestFinished } from 'vitest'
import { testNeeding } from '../../../../test/require.js'
import { smallTraining } from '../small-training.js'
import { device, whyNoTensorflow } from './installed.js'

const why = whyNoTensorflow()
const test = testNeeding('tensorflow', why === null, why ?? '')
// The reference stands in where the tests are skipped.
const backend = why === null ? await tfjs({ engine: 'tensorflow', device }) : reference()

describe('conformance', () => {
  for (const { name, run } of conformanceCases()) {
    test(name, async () => {
      expect(await run(backend)).toBeLessThanOrEqual(1)
    })
  }
})

test('says what computes', () => {
  expect(backend.name).toBe(device === 'gpu' ? 'tfjs-node-gpu' : 'tfjs-node')
  const { engine, tensorflow } = describeTfjs(backend)
  expect(engine).toBe('tensorflow')
  expect(tensorflow).toMatchObject({ device, packageVersion: '4.22.0', tf32: false, fusesBias: true })
  expect(tensorflow!.libraryVersion).toMatch(/^2\.\d+\.\d+/)
})

test('a second backend in the process shares TensorFlow, and must want what runs', async () => {
  const second = await tfjs({ engine: 'tensorflow', device })
  const other = device === 'gpu' ? 'cpu' : 'gpu'
  expect([...(await tensor([1, 2], [2], { backend: second }).data())]).toEqual([1, 2])
  await second.dispose()
  await expect(tfjs({ engine: 'tensorflow', device: other })).rejects.toThrow(
    `tfjs: TensorFlow runs in this process with device ${device} (asked for ${other})`,
  )
  await expect(tfjs({ engine: 'tensorflow', device, threads: 77 })).rejects.toThrow(/with threads \d+ \(asked for 77\)/)
})

test('options of TensorFlow are errors on other engines, and so are senseless ones', async () => {
  await expect(tfjs({ engine: 'wasm', device: 'gpu' })).rejects.toThrow(
    "tfjs: device is an option of the engine 'tensorflow' (engine is 'wasm')",
  )
  await expect(tfjs({ engine: 'tensorflow', threads: 0 })).rejects.toThrow(
    'tfjs: threads must be a whole number from 1 (got 0)',
  )
  await expect(tfjs({ engine: 'tensorflow', device: 'tpu' as 'gpu' })).rejects.toThrow(
    `tfjs: device must be 'cpu' or 'gpu' (got "tpu")`,
  )
})

test('tensors cross over in both directions without a copy, and live on', async () => {
  await tf.setBackend('tensorflow')
  const theirs = tf.tensor2d([1, 2, 3, 4], [2, 2])
  const x = fromTf(theirs, { backend })
  theirs.dispose()
  const doubled = add(x, x)
  expect([...(await doubled.data())]).toEqual([2, 4, 6, 8])
  const out = toTf(doubled)
  doubled.dispose()
  expect([...(await tf.square(out).data())]).toEqual([4, 16, 36, 64])
  const integers = fromTf(tf.tensor1d([7, -8], 'int32'), { backend })
  expect(await integers.data()).toEqual(new Int32Array([7, -8]))
})

test('what is written into a tensor after it was made does not show in it', async () => {
  const values = new Float32Array([1, 2])
  const x = tensor(values, [2], { backend })
  const y = add(x, zeros([2], { backend }))
  values[0] = 5
  expect([...(await x.data()), ...(await y.data())]).toEqual([1, 2, 1, 2])
})

test('300 training steps learn and leave no tensor of TensorFlow behind', async () => {
  const training = smallTraining(backend)
  const library = tf.findBackend('tensorflow') as unknown as { getNumOfTFTensors(): number }
  const losses: number[] = []
  const counts: number[] = []
  for (let step = 0; step < 300; step++) {
    const loss = training.step()
    losses.push((await loss.data())[0])
    loss.dispose()
    counts.push(library.getNumOfTFTensors())
  }
  expect(losses[299]).toBeLessThan(0.5 * losses[0])
  // The numbers that stay on the device reach their limit first: a step has two new ones, of the bias corrections.
  expect(new Set(counts.slice(200)).size).toBe(1)
})

test('a training step brings nothing to the host before its loss is read', async () => {
  const library = tf.findBackend('tensorflow') as unknown as { binding: Binding }
  const { binding } = library
  let count = 0
  const read: Binding['tensorDataSync'] = (id) => {
    count += 1
    return binding.tensorDataSync(id)
  }
  library.binding = Object.create(binding, { tensorDataSync: { value: read } }) as Binding
  onTestFinished(() => {
    library.binding = binding
  })
  const training = smallTraining(backend)
  training.step().dispose()
  const loss = training.step()
  expect(count).toBe(0)
  await loss.data()
  expect(count).toBe(1)
})

interface Binding {
  tensorDataSync(id: number): unknown
}

test('gives the same bits in every run', async () => {
  expect(await firstLosses()).toEqual(await firstLosses())
})

async function firstLosses(): Promise<number[]> {
  const training = smallTraining(backend)
  const losses: number[] = []
  for (let step = 0; step < 5; step++) losses.push((await training.step().data())[0])
  return losses
}
