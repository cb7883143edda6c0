import { addNoise, gaussianDiffusion, trainingLosses } from '@dit/diffusion'
import { forward, initParams, trainableParams } from '@dit/model'
import { type Backend, mean, reference, type Tensor, tensor, valueAndGrad } from '@dit/tensor'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  classConditional,
  InexactResumeError,
  memoryRunStore,
  NonFiniteLossError,
  parseLog,
  pictureBatch,
  RunLockedError,
  smallRecipe,
  train,
  type TrainOptions,
  wholeBatches,
} from '../src/index.js'
import { losses, run, stoppingAfter, tinyBatch, tinyData, tinyModel, tinyObjective, tinyRecipe } from './setting.js'

let backend: Backend
let base: TrainOptions
beforeAll(() => {
  backend = reference()
  base = { objective: tinyObjective, recipe: tinyRecipe, data: tinyData(), backend, seed: 1, steps: 6 }
})

describe('train', () => {
  test('learns: the loss of the last steps is well below that of the first', async () => {
    const recipe = { ...tinyRecipe, batchSize: 16 }
    const all = losses(await run({ ...base, recipe, data: tinyData(16), steps: 150 }))
    const average = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
    expect(average(all.slice(0, 3))).toBeGreaterThan(0.9)
    expect(average(all.slice(-20))).toBeLessThan(0.55)
  })

  test('reports start, every step and the end, with parameters and averages', async () => {
    const events = await run({ ...base, steps: 3 })
    expect(events.map(({ type }) => type)).toEqual(['start', 'step', 'step', 'step', 'end'])
    expect(events.at(-1)).toMatchObject({ step: 3, reason: 'finished' })
  })

  test('leaves nothing on the backend', async () => {
    const before = backend.memory()
    await run({ ...base, store: memoryRunStore(), steps: 3 })
    expect(backend.memory()).toMatchObject({ buffers: before.buffers, bytes: before.bytes })
  })

  test('keeps the number of live buffers constant over the run', async () => {
    const counts = new Set<number>()
    for await (const event of train({ ...base, steps: 8 })) {
      if (event.type === 'step') counts.add(backend.memory().buffers)
    }
    expect(counts.size).toBe(1)
  })

  test('is the same with micro-batches, up to the rounding of the sum', async () => {
    const whole = losses(await run(base))
    const parts = losses(await run({ ...base, recipe: { ...tinyRecipe, microBatchSize: 3 } }))
    // float64, six steps
    parts.forEach((loss, i) => expect(loss).toBeCloseTo(whole[i], 10))
  })

  test('is the same to the bit with recomputation', async () => {
    expect(losses(await run({ ...base, recompute: 'block' }))).toEqual(losses(await run(base)))
  })

  test('its first loss is that of the formulas on the same draws', async () => {
    const [first] = losses(
      await run({ ...base, objective: classConditional({ ...tinyModel, classDropout: 0 }), steps: 1 }),
    )
    // A fresh model outputs zero, so that the squared error is the mean square of the noise.
    expect(first).toBeGreaterThan(0.5)
    expect(first).toBeLessThan(1.6)
  })

  test('clips the gradient to the given norm', async () => {
    const clipped = await run({ ...base, recipe: { ...tinyRecipe, maxGradientNorm: 1e-9 }, steps: 2 })
    const free = await run({ ...base, recipe: { ...tinyRecipe, maxGradientNorm: null }, steps: 2 })
    // Adam is blind to the scale of gradients but for epsilon, which 1e-9 makes matter.
    expect(losses(clipped)[0]).toBe(losses(free)[0])
    expect(losses(clipped)[1]).not.toBe(losses(free)[1])
  })

  test('draws timesteps by their losses where asked, and resumes that exactly', async () => {
    const objective = classConditional(tinyModel, { numTimesteps: 25 }, { timestepSampler: 'lossSecondMoment' })
    const whole = losses(await run({ ...base, objective, steps: 120 }))
    const store = memoryRunStore()
    await run({ ...base, objective, steps: 120, store, ...stoppingAfter(70) })
    expect(losses(await run({ ...base, objective, steps: 120, store }))).toEqual(whole.slice(70))
  })

  test('stops on a signal with a checkpoint', async () => {
    const store = memoryRunStore()
    const events = await run({ ...base, store, ...stoppingAfter(2) })
    expect(events.slice(-2)).toMatchObject([
      { type: 'checkpoint', step: 2 },
      { type: 'end', reason: 'stopped', step: 2 },
    ])
  })

  test('calls back for samples with the averages, at its period and at the end', async () => {
    const seen: number[] = []
    await run({
      ...base,
      steps: 5,
      sample: {
        every: 2,
        async run({ step, ema }) {
          seen.push(step)
          expect(Object.keys(ema)[0]).toBe('pos_embed')
        },
      },
    })
    expect(seen).toEqual([2, 4, 5])
  })

  test('writes one line of the log per step, without clock time', async () => {
    const store = memoryRunStore()
    await run({ ...base, store, steps: 3 })
    const log = parseLog(new TextDecoder().decode((await store.read('log.jsonl'))!))
    expect(log.map(({ step, examples }) => [step, examples])).toEqual([
      [1, 4],
      [2, 8],
      [3, 12],
    ])
    expect(Object.keys(log[0])).toEqual([
      'step',
      'loss',
      'mse',
      'vb',
      'gradNorm',
      'learningRate',
      'emaDecay',
      'examples',
    ])
  })
})

describe('train refuses', () => {
  test('a loss that is not finite, and names the last checkpoint', async () => {
    const store = memoryRunStore()
    const broken = wholeBatches(async (step) => {
      const batch = tinyBatch(step)
      if (step >= 4) batch.arrays.x0.data.fill(Number.NaN)
      return batch
    })
    const promise = run({ ...base, data: broken, store, checkpoint: { every: 2 } })
    await expect(promise).rejects.toThrow(NonFiniteLossError)
    await expect(promise).rejects.toThrow(
      'train: the loss is NaN at step 5; the last good checkpoint is checkpoints/step-0000004',
    )
    expect(await store.list('checkpoints')).toEqual(['step-0000002', 'step-0000004'])
  })

  test.each<[string, Partial<TrainOptions>, string]>([
    ['steps of 0', { steps: 0 }, 'train: steps must be a positive integer (got 0)'],
    [
      'a checkpoint period of 1.5',
      { checkpoint: { every: 1.5 } },
      'train: checkpoint.every must be a positive integer (got 1.5)',
    ],
    ['a model in place of an objective', { objective: tinyModel as never }, 'train: objective must be an Objective'],
    ['a batch of another size', { data: tinyData(3) }, 'train: a batch must hold 4 examples (got 3)'],
    [
      'pictures of another size',
      { data: wholeBatches(async () => pictureBatch(new Float32Array(24), new Int32Array(4), [1, 2, 3])) },
      'train: x0 must hold examples of [1, 4, 4] (got examples of [1, 2, 3])',
    ],
    [
      'an array that is too short',
      { data: { rows: async () => pictureBatch(new Float32Array(60), new Int32Array(4), [1, 4, 4]) } },
      'train: x0 must hold 4 examples of [1, 4, 4], 64 values (got 60)',
    ],
    [
      'settings of the objective in the recipe',
      { recipe: { ...smallRecipe, timestepSampler: 'uniform' } as never },
      'recipe: timestepSampler is a setting of the objective',
    ],
    ['a recipe with an unknown field', { recipe: { ...smallRecipe, lr: 1 } as never }, 'recipe: there is no field lr'],
    ['more recomputed blocks than there are', { recompute: 2 }, 'a number of blocks, 0..1 (got 2)'],
    [
      'an unknown decay',
      { recipe: { ...smallRecipe, decay: 'foo' as never } },
      'recipe: decay must be one of constant, linear, cosine (got foo)',
    ],
    ['an unknown recomputation', { recompute: 'yes' as never }, 'recompute must be one of none, block (got yes)'],
    [
      'data that give nothing',
      { data: { rows: async () => undefined as never } },
      'train: data.rows must give { count',
    ],
    [
      'a label that is no class',
      { data: { rows: async () => pictureBatch(new Float32Array(64), Int32Array.of(0, 1, 2, 3), [1, 4, 4]) } },
      'train: labels must be in 0..2 (got 3)',
    ],
    ['a recipe that cannot be', { recipe: { ...smallRecipe, beta1: 2 } }, 'recipe: beta1 must be in [0, 1) (got 2)'],
  ])('%s', async (_, change, text) => {
    await expect(run({ ...base, ...change })).rejects.toThrow(text)
  })

  test('to resume under another seed, engine or length unless told to', async () => {
    const store = memoryRunStore()
    await run({ ...base, store, ...stoppingAfter(2) })
    await expect(run({ ...base, store, seed: 2 })).rejects.toThrow(InexactResumeError)
    await expect(run({ ...base, store, steps: 9 })).rejects.toThrow('the run was planned for 6 steps and now for 9')
    const events = await run({ ...base, store, steps: 9, allowInexact: true })
    expect(events[0]).toMatchObject({
      step: 2,
      notices: [
        'resumed inexactly: the run was planned for 6 steps and now for 9, which changes the course of its learning rate',
      ],
    })
  })

  test('to resume with another recipe unless told to', async () => {
    const store = memoryRunStore()
    await run({ ...base, store, ...stoppingAfter(2) })
    const recipe = { ...tinyRecipe, learningRate: 0.5 }
    await expect(run({ ...base, store, recipe })).rejects.toThrow('learningRate of the recipe was 0.01 and is 0.5')
  })

  test('a second writer while the first is at work', async () => {
    const store = memoryRunStore()
    const first = train({ ...base, store })
    await first.next()
    await expect(run({ ...base, store })).rejects.toThrow(RunLockedError)
    await first.return()
    await run({ ...base, store })
  })

  test('a store that holds a run when told never to resume', async () => {
    const store = memoryRunStore()
    await run({ ...base, store, steps: 2 })
    await expect(run({ ...base, store, resume: 'never' })).rejects.toThrow('memory already holds a run (at step 2)')
  })

  test('a checkpoint of another model', async () => {
    const store = memoryRunStore()
    await run({ ...base, store, steps: 2 })
    const wider = classConditional({ ...tinyModel, hiddenSize: 16 })
    await expect(run({ ...base, steps: 2, store, objective: wider })).rejects.toThrow(
      'network.config.hiddenSize of the objective was 8 and is 16',
    )
    await expect(run({ ...base, steps: 2, store, objective: wider, allowInexact: true })).rejects.toThrow(
      'pos_embed must be [1, 4, 16] (got [1, 4, 8]); it is of another model',
    )
  })
})

test('a step is one AdamW update of the gradient of the formulas', async () => {
  // The gradient norm of the first step, worked out outside the trainer from the same draws.
  const model = { ...tinyModel, classDropout: 0 }
  const events = await run({ ...base, objective: classConditional(model), steps: 1 })
  const step = events.find((event) => event.type === 'step')!
  const { integers, normals, randomStream } = await import('@dit/random')
  const { x0: pictures, labels } = tinyBatch(0).arrays
  const shape = [4, 1, 4, 4]
  const diffusion = gaussianDiffusion()
  const timesteps = integers(randomStream(1, 'timesteps', 1), 1000, 4)
  const noise = tensor(normals(randomStream(1, 'noise', 1), 64), shape, { backend })
  const x0 = tensor(pictures.data, shape, { backend })
  const params = initParams(model, { seed: 1, backend })
  const { gradients } = valueAndGrad(trainableParams(model, params), () => {
    const predict = (xt: Tensor, t: Int32Array) => forward(model, params, { xt, timesteps: t, labels: labels.data })
    return { loss: mean(trainingLosses(diffusion, predict, { x0, timesteps, noise }).loss) }
  })
  let squares = 0
  for (const gradient of Object.values(gradients)) for (const value of await gradient.data()) squares += value * value
  expect(step.record.gradNorm).toBeCloseTo(Math.sqrt(squares), 12)
  expect(addNoise(diffusion, x0, timesteps, noise).shape).toEqual(shape)
})
