import { initParams } from '@dit/model'
import { dispose, reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { sampleClasses, type SampleOptions } from '../../src/sampling/sample-classes.js'
import { tinyModel } from '../support/tiny-run.js'

const backend = reference()

function options(changes: Partial<SampleOptions> = {}): SampleOptions {
  const model = tinyModel
  const params = initParams(model, { seed: 1, backend })
  return { model, process: {}, params, backend, labels: [0, 1, 2], steps: 3, seed: 5, ...changes }
}

test('batches make no difference, previews end in the result, and no buffer is left', async () => {
  const base = options()
  const before = backend.memory().buffers
  const whole = await sampleClasses(base)
  expect(whole).toHaveLength(3 * 3 * 4 * 4)
  const seen: number[][] = []
  let last = new Float32Array()
  const split = await sampleClasses({
    ...base,
    batchSize: 2,
    onStep: async ({ done, total, finished, preview }) => {
      seen.push([done, total, finished])
      last = Float32Array.from(await preview())
    },
  })
  expect(split).toEqual(whole)
  expect(last).toEqual(whole)
  expect(seen.map(([done]) => done)).toEqual([1, 2, 3, 4, 5, 6])
  expect(seen.map(([, total]) => total)).toEqual([6, 6, 6, 6, 6, 6])
  expect(seen.map(([, , finished]) => finished)).toEqual([0, 0, 2, 2, 2, 3])
  expect(backend.memory().buffers).toBe(before)
  dispose(base.params)
})

test('a stopped or failing caller leaves no buffer', async () => {
  const base = options({ steps: 4 })
  const before = backend.memory().buffers
  const stop = new AbortController()
  const stopped = sampleClasses({ ...base, signal: stop.signal, onStep: () => stop.abort(new Error('enough')) })
  await expect(stopped).rejects.toThrow('enough')
  const onStep = ({ done }: { done: number }) => {
    if (done === 4) throw new Error('at the last step')
  }
  await expect(sampleClasses({ ...base, onStep })).rejects.toThrow('at the last step')
  expect(backend.memory().buffers).toBe(before)
  dispose(base.params)
})

test('options that cannot be are named', async () => {
  const model = tinyModel
  await expect(sampleClasses(options({ steps: 1001 }))).rejects.toThrow(
    'sampleClasses: steps must be 1 to 1000, the timesteps of the process (got 1001)',
  )
  await expect(sampleClasses(options({ batchSize: 0 }))).rejects.toThrow('batchSize must be a positive integer (got 0)')
  const noNull = { ...model, classDropout: 0 }
  const params = initParams(noNull, { backend })
  await expect(sampleClasses(options({ model: noNull, params, guidance: 2 }))).rejects.toThrow(
    'guidance must be 1 for a model trained without class dropout',
  )
})
