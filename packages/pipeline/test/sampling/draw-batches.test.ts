import { initParams } from '@dit/model'
import { dispose, reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { lastSamples, openPipeline, type Pipeline, planSampling, type SampleOptions } from '../../src/index.js'
import { tinyModel } from '../tiny-model.js'

const backend = reference()

const open = (): Promise<Pipeline> =>
  openPipeline(
    {
      network: tinyModel,
      process: {},
      params: initParams(tinyModel, { seed: 1, backend }),
      classNames: ['a', 'b', 'c'],
    },
    { backend },
  )

const options: SampleOptions = { total: 7, steps: 3, seed: 5, batchSize: 3, sampler: 'ddim', eta: 1 }

test('batches are the parts of all samples, and each is the same when others are skipped', async () => {
  const dit = await open()
  const before = backend.memory().buffers
  const whole = await lastSamples(dit.sample(options))
  const size = whole.length / 7
  const seen: number[][] = []
  for await (const { number, first, labels, samples, pictures } of dit.batches(options)) {
    seen.push([number, first, labels.length])
    expect(samples).toEqual(whole.slice(first * size, (first + labels.length) * size))
    expect((await pictures()).map(({ label }) => label)).toEqual([...labels])
  }
  expect(seen).toEqual([
    [0, 0, 3],
    [1, 3, 3],
    [2, 6, 1],
  ])
  const steps: number[][] = []
  for await (const { number, samples } of dit.batches(options, {
    skip: (at) => at !== 1,
    onStep: ({ done, total, index, numSteps, first, count }) =>
      void steps.push([done, total, index, numSteps, first, count]),
  })) {
    expect(number).toBe(1)
    expect(samples).toEqual(whole.slice(3 * size, 6 * size))
  }
  expect(steps).toEqual([0, 1, 2].map((index) => [index + 1, 3, index, 3, 3, 3]))
  expect(backend.memory().buffers).toBe(before)
  dispose(dit.params)
})

test('a batch of numbers that are not finite makes no pictures', async () => {
  const dit = await open()
  const { value } = await dit.batches(options).next()
  value!.samples[4] = NaN
  await expect(value!.pictures()).rejects.toThrow('the samples are not finite numbers')
  dispose(dit.params)
})

test('the state after the last step is the samples, and a caller that fails or leaves frees everything', async () => {
  const dit = await open()
  const before = backend.memory().buffers
  let last = new Float32Array()
  for await (const { samples } of dit.batches(options, {
    onStep: async ({ state, estimates }) => {
      expect(await estimates()).toHaveLength((await state()).length)
      last = Float32Array.from(await state())
    },
  })) {
    expect(samples).toEqual(last)
  }
  const failing = async () => {
    const onStep = ({ done }: { done: number }) => {
      if (done === 5) throw new Error('at step 5')
    }
    for await (const batch of dit.batches(options, { onStep })) void batch
  }
  await expect(failing()).rejects.toThrow('at step 5')
  for await (const { number } of dit.batches(options)) if (number === 1) break
  const stop = new AbortController()
  const stopped = async () => {
    for await (const batch of dit.batches({ ...options, signal: stop.signal })) stop.abort(new Error(`${batch.number}`))
  }
  await expect(stopped()).rejects.toThrow('0')
  expect(backend.memory().buffers).toBe(before)
  dispose(dit.params)
})

test('classes at random are those asked for, in like shares, and the first do not depend on the total', async () => {
  const dit = await open()
  const of = async (more: SampleOptions) => (await planSampling(dit.model, more)).labels
  const labels = await of({ total: 3000, classes: ['a', 'c'], seed: 1 })
  expect(new Set(labels)).toEqual(new Set([0, 2]))
  // 1500 expected, with a standard deviation of 27.
  expect(Math.abs(labels.filter((label) => label === 2).length - 1500)).toBeLessThan(110)
  expect(await of({ total: 10, classes: ['a', 'c'], seed: 1 })).toEqual(labels.slice(0, 10))
  expect(await of({ total: 3000, classes: ['a', 'c'], seed: 2 })).not.toEqual(labels)
  dispose(dit.params)
})

test.each<[SampleOptions, string]>([
  [{ total: 0 }, 'total 0 must be a positive integer'],
  [{ total: 3, count: 2 }, 'total is the number of all samples, and `count` that of each class; leave one of them out'],
  [{ total: 1, labels: [0] }, 'labels replace `classes`, `count` and `total`; leave those out'],
  [{ total: 1e8 }, 'total makes 100,000,000 samples, but at most 10,000,000 are drawn at a time'],
  [{ count: 5e6 }, 'count makes 15,000,000 samples, but at most 10,000,000 are drawn at a time'],
])('%j is refused by name', async (more, message) => {
  const dit = await open()
  await expect(dit.batches(more).next()).rejects.toThrow(message)
  dispose(dit.params)
})
