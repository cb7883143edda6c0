import { initParams } from '@dit/model'
import { dispose, reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { lastSamples, openPipeline, type Pipeline, type SampleOptions, type SampleStep } from '../../src/index.js'
import { tinyModel } from '../tiny-model.js'

const backend = reference()

const open = (network = tinyModel, params = initParams(network, { seed: 1, backend })): Promise<Pipeline> =>
  openPipeline({ network, process: {}, params, classNames: ['a', 'b', 'c'] }, { backend })

const base: SampleOptions = { labels: [0, 1, 2], steps: 3, seed: 5 }

test('batches make no difference, estimates end in the result, and no buffer is left', async () => {
  const dit = await open()
  const before = backend.memory().buffers
  const whole = await lastSamples(dit.sample(base))
  expect(whole).toHaveLength(3 * 3 * 4 * 4)
  const seen: number[][] = []
  let last = new Float32Array()
  const split = await lastSamples(
    dit.sample({ ...base, batchSize: 2 }),
    async ({ done, total, finished, estimates }: SampleStep) => {
      seen.push([done, total, finished])
      last = Float32Array.from(await estimates())
    },
  )
  expect(split).toEqual(whole)
  expect(last).toEqual(whole)
  expect(seen.map(([done]) => done)).toEqual([1, 2, 3, 4, 5, 6])
  expect(seen.map(([, total]) => total)).toEqual([6, 6, 6, 6, 6, 6])
  expect(seen.map(([, , finished]) => finished)).toEqual([0, 0, 2, 2, 2, 3])
  expect(backend.memory().buffers).toBe(before)
  dispose(dit.params)
})

test('a stopped or failing caller leaves no buffer', async () => {
  const dit = await open()
  const before = backend.memory().buffers
  const stop = new AbortController()
  const options = { ...base, steps: 4 }
  const stopped = lastSamples(dit.sample({ ...options, signal: stop.signal }), () => stop.abort(new Error('enough')))
  await expect(stopped).rejects.toThrow('enough')
  const onStep = ({ done }: { done: number }) => {
    if (done === 4) throw new Error('at the last step')
  }
  await expect(lastSamples(dit.sample(options), onStep)).rejects.toThrow('at the last step')
  for await (const { index } of dit.sample(options)) if (index === 1) break
  expect(backend.memory().buffers).toBe(before)
  dispose(dit.params)
})

test.each<[SampleOptions, string]>([
  [{ steps: 1001 }, 'steps 1001 is more than the 1000 timesteps the model was trained with'],
  [{ steps: 0 }, 'steps 0 must be a positive integer'],
  [{ batchSize: 0 }, 'batchSize 0 must be a positive integer'],
  [{ seed: -1 }, 'seed -1 must be a whole number, 0 or more'],
  [{ labels: [3] }, 'labels 3 must be 0 to 2'],
  [{ labels: [0], count: 2 }, 'labels replace `classes`, `count` and `total`; leave those out'],
  [{ classes: ['d'] }, 'classes: the model has no class d; did you mean'],
  [{ sampler: 'rk4' }, 'sampler rk4: the model was trained as a Gaussian diffusion, which can use ddpm'],
  [{ sampler: 'nope' as never }, 'sampler nope must be one of ddpm'],
  [{ eta: 0.5, sampler: 'unipc' }, 'eta works only with `sampler` ddim'],
  [{ shift: 2 }, 'shift 2 works only for a flow'],
  [{ nullClass: 1 }, 'nullClass changes guidance, but there is none; give `guidance` as well'],
  [{ guidance: 2, guidanceInterval: [2, 1] }, 'guidanceInterval must be two numbers, 0 or more, the smaller first'],
  [{ stpes: 5 } as never, 'stpes: there is no such option; did you mean steps?'],
  [{ tile: true }, 'tile is for pictures of an autoencoder, which the model does not have'],
  [{ guidance: 2, nullClass: 4 }, 'nullClass 4 must be a class of the model, 0 to 3'],
  [{ guidance: 2, guidanceChannels: 4 }, 'guidanceChannels 4 must be 1 to 3, or all'],
  [{ strength: 0.5 }, 'strength needs an `image` to start from'],
  [
    { noise: { values: new Float32Array(2), shape: [2] } },
    'noise: the array must have the shape of the samples, [3, 3, 4, 4]',
  ],
])('%j is refused by name', async (options, message) => {
  const dit = await open()
  await expect(dit.pictures(options)).rejects.toThrow(message)
  await expect(dit.pictures(options)).rejects.toMatchObject({ name: 'OptionError', option: /^\w+/.exec(message)![0] })
  dispose(dit.params)
})

test('guidance needs a null class', async () => {
  const network = { ...tinyModel, classDropout: 0 }
  const dit = await open(network)
  await expect(dit.pictures({ guidance: 2 })).rejects.toThrow(
    'guidance 2 must be 1, because the model has no null class',
  )
  dispose(dit.params)
})
