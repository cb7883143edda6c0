import { readFileSync } from 'node:fs'
import type { Communicator } from '@dit/collectives'
import { gaussianProcess } from '@dit/diffusion'
import { mean, reference, type Tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { localCommunicators } from '../../../test/support/local-communicators.js'
import {
  batchTensor,
  classConditional,
  defineObjective,
  dit,
  denoising,
  heldOutMeasures,
  loadCheckpointParams,
  memoryRunStore,
  type Network,
  type Objective,
  objectiveFromSpec,
  parseLog,
  type RunStore,
  smallRecipe,
  train,
  type TrainBatch,
  type TrainOptions,
  wholeBatches,
} from '../src/index.js'
import { losses, run, stoppingAfter, tinyBatch, tinyData, tinyModel, tinyRecipe } from './setting.js'

const { objective: circle } = await import('./examples/plane.js')

/** The data of the example, for any batch size. */
const data = wholeBatches(async (step) => {
  const points = Float32Array.from({ length: 16 }, (_, i) => (((step * 16 + i) * 0.618) % 4) - 2)
  const inside = Float32Array.from({ length: 8 }, (_, i) =>
    Math.hypot(points[2 * i], points[2 * i + 1]) < 1.4 ? 1 : 0,
  )
  return { count: 8, arrays: { points: { data: points, shape: [2] }, inside: { data: inside, shape: [1] } } }
})
const recipe = { ...smallRecipe, batchSize: 8, learningRate: 0.05, warmupSteps: 2 }
const base: TrainOptions = { objective: circle, recipe, data, backend: reference(), seed: 0, steps: 6 }
const last = 'checkpoints/step-0000006'

async function contents(store: RunStore): Promise<Record<string, string>> {
  const names = ['model', 'ema', 'optimizer'].map((name) => `${last}/${name}.safetensors`)
  const all = [...names, `${last}/state.json`, 'log.jsonl']
  return Object.fromEntries(await Promise.all(all.map(async (name) => [name, (await store.inspect(name))!.sha256])))
}

async function onWorkers(size: number, options: Partial<TrainOptions> = {}): Promise<number[]> {
  const one = async (communicator: Communicator) => losses(await run({ ...base, ...options, communicator }))
  return (await Promise.all(localCommunicators(size).map(one)))[0]
}

describe('a network that is no DiT', () => {
  test('learns, and logs each of its terms', async () => {
    const store = memoryRunStore()
    await run({ ...base, steps: 150, store })
    const log = parseLog(new TextDecoder().decode((await store.read('log.jsonl'))!))
    const wrong = log.map((record) => record.wrong as number)
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length
    expect(mean(wrong.slice(0, 10))).toBeGreaterThan(0.15)
    expect(mean(wrong.slice(-30))).toBeLessThan(0.05)
    expect(Object.keys(log[0]).slice(0, 4)).toEqual(['step', 'loss', 'wrong', 'gradNorm'])
  })

  test('is averaged: the averages lie between the first parameters and the last', async () => {
    const events = await run(base)
    const end = events.at(-1)!
    if (end.type !== 'end') throw new Error('no end')
    expect(Object.keys(end.ema)).toEqual(Object.keys(circle.parameters))
  })

  test.each([1, 4])('resumes to the bit after a stop in step %i', async (step) => {
    const [whole, broken] = [memoryRunStore(), memoryRunStore()]
    await run({ ...base, store: whole })
    const stopping = stoppingAfter(step)
    const rows: TrainOptions['data']['rows'] = async (...of) => {
      await stopping.data.rows(of[0], 0, 4)
      return data.rows(...of)
    }
    await run({ ...base, store: broken, data: { rows }, signal: stopping.signal })
    await run({ ...base, store: broken })
    expect(await contents(broken)).toEqual(await contents(whole))
  })

  test('trains on two and three workers as on one, whole and in parts', async () => {
    const alone = losses(await run(base))
    for (const options of [{}, { shardOptimizer: true, bucketBytes: 256 }]) {
      for (const size of [2, 3]) {
        const together = await onWorkers(size, options)
        // float64, sums in another order
        together.forEach((loss, i) => expect(loss).toBeCloseTo(alone[i], 10))
      }
    }
  })

  test('keeps its spec, and is not resumed under another one', async () => {
    const store = memoryRunStore()
    await run({ ...base, store })
    const wider = { ...circle, spec: { kind: 'circle', hidden: 64 } }
    await expect(run({ ...base, store, objective: wider })).rejects.toThrow('hidden of the objective was 32 and is 64')
  })
})

test("the example is the README's, word for word, in fewer than 60 lines", () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n(.*?)```/s.exec(readme)![1]
  const source = readFileSync(new URL('examples/plane.ts', import.meta.url), 'utf8')
  expect(source.split('\n').slice(1).join('\n').replace('export const objective', 'const objective')).toBe(example)
  expect(example.split('\n').length).toBeLessThan(60)
})

describe('an objective of its own state', () => {
  /** Draws the easier of two halves more and more, and counts what it has drawn. */
  const counting = (): Objective<number[]> => ({
    ...circle,
    spec: { kind: 'counting' },
    initialState: [0],
    draw: ([count], { batchSize }) => ({
      timesteps: new Float32Array(batchSize).fill(count),
      importanceWeights: new Float32Array(batchSize).fill(1 + count / 100),
    }),
    learned: ([count], _, values) => [count + values.length],
  })

  test('goes on from it after a resume', async () => {
    const [whole, broken] = [memoryRunStore(), memoryRunStore()]
    await run({ ...base, objective: counting(), store: whole })
    for await (const event of train({ ...base, objective: counting(), store: broken, checkpoint: { every: 2 } })) {
      if (event.type === 'step' && event.record.step === 3) break
    }
    await run({ ...base, objective: counting(), store: broken })
    expect(await contents(broken)).toEqual(await contents(whole))
    const state = JSON.parse(new TextDecoder().decode((await whole.read(`${last}/state.json`))!))
    expect(state.objectiveState).toEqual([48])
  })
})

describe('defineObjective and train refuse', () => {
  const wrong: [string, object, string][] = [
    ['no loss among the terms', { terms: ['mse'] }, 'objective: terms must begin with loss (got mse)'],
    ['a term that the log needs', { terms: ['loss', 'step'] }, 'objective: a term cannot be called step'],
    ['nothing to train', { parameters: { a: { shape: [1], isTrainable: false } } }, 'there must be a parameter'],
    ['a spec that is no object', { spec: 'circle' }, 'objective: spec must be an object of plain data'],
    ['blocks of -1', { blocks: -1 }, 'objective: blocks must be an integer, 0 or more (got -1)'],
  ]
  test.each(wrong)('%s', async (_, change, text) => {
    expect(() => defineObjective({ ...circle, ...change })).toThrow(text)
    await expect(run({ ...base, objective: { ...circle, ...change } })).rejects.toThrow(text)
  })

  test('recompute for an objective without blocks', async () => {
    await expect(run({ ...base, recompute: 'block' })).rejects.toThrow('recompute needs blocks')
  })

  test('a loss that depends on no parameter, which would look like a run that learns nothing', async () => {
    const losses = (_: unknown, batch: TrainBatch) => ({ loss: mean(batchTensor(batch, 'points', base.backend), [1]) })
    await expect(run({ ...base, objective: { ...circle, terms: ['loss'], losses } })).rejects.toThrow(
      'train: the loss depends on no parameter',
    )
  })

  test('losses that are a promise', async () => {
    const losses = async () => Promise.reject(new Error('later'))
    await expect(run({ ...base, objective: { ...circle, losses: losses as never } })).rejects.toThrow(
      'train: losses must not be async',
    )
  })

  test.each<[string, object, string]>([
    [
      'a spec that JSON does not hold',
      { spec: { kind: () => 1 } },
      'spec must be an object of plain data, as JSON holds it',
    ],
    ['no init', { init: undefined }, 'objective: init must be a function'],
    [
      'a shape that is none',
      { parameters: { a: {} } },
      'objective: a of parameters must be { shape: [positive integers] }',
    ],
    [
      'other parameters than it says',
      { parameters: { ...circle.parameters, b: { shape: [1] } } },
      'init must give b as [1]',
    ],
    [
      'more than it says',
      { parameters: { 'hidden.bias': { shape: [32] } } },
      'init gave hidden.weight, which is not in',
    ],
  ])('%s', async (_, change, text) => {
    await expect(run({ ...base, objective: { ...circle, ...change } })).rejects.toThrow(text)
  })

  test.each<[string, object, string]>([
    ['a model, as before', { model: tinyModel }, 'train: model is an objective now: classConditional(model)'],
    ['an option that is none', { chekpoint: {} }, 'train: there is no option chekpoint'],
    ['a setting of checkpoints that is none', { checkpoint: { evry: 2 } }, 'train: there is no option checkpoint.evry'],
    ['a list for data', { data: [] }, 'train: data must have a function rows'],
    ['no engine', { backend: null }, 'train: backend must be an engine, such as reference()'],
    [
      'a promise of an engine',
      { backend: Promise.resolve(null) },
      'train: backend must be an engine, not a promise of',
    ],
    ['the name of a recipe', { recipe: 'small' }, 'train: recipe must be an object such as smallRecipe'],
    ['an unknown way to resume', { resume: 'always' }, 'train: resume must be one of auto, never (got always)'],
  ])('%s', async (_, change, text) => {
    await expect(run({ ...base, ...change })).rejects.toThrow(text)
  })

  test('batches of more than the batch size, and labels in a plain list', async () => {
    await expect(run({ ...base, recipe: { ...recipe, batchSize: 4 } })).rejects.toThrow(
      'train: a batch must hold 4 examples (got 8)',
    )
    const plain = wholeBatches(async () => ({ count: 8, arrays: { points: { data: [1] as never, shape: [2] } } }))
    await expect(run({ ...base, data: plain })).rejects.toThrow('data a Float32Array or Int32Array (got Array)')
  })

  test('losses that are not one number for each example', async () => {
    const losses = () => ({ loss: batchTensor(tinyBatch(0), 'x0', base.backend) })
    await expect(run({ ...base, objective: { ...circle, terms: ['loss'], losses } })).rejects.toThrow(
      'train: losses must give loss of each example, [8] (got [4, 1, 4, 4])',
    )
    const none = { ...circle, losses: () => ({}) as Record<string, Tensor> }
    await expect(run({ ...base, objective: none })).rejects.toThrow('must give loss of each example, [8] (got nothing)')
  })
})

test('an array that a batch does not have is named, with those that it has', () => {
  expect(() => batchTensor(tinyBatch(0), 'pixels', base.backend)).toThrow(
    'batchTensor: the batch has no array pixels (it has x0, labels)',
  )
})

describe('denoising', () => {
  const options: TrainOptions = {
    ...base,
    recipe: tinyRecipe,
    data: tinyData(),
    objective: classConditional(tinyModel),
  }

  test('trains a network of your own as it trains a DiT', async () => {
    const { spec: _spec, ...rest } = dit(tinyModel)
    const own: Network<Int32Array> = { ...rest, spec: { kind: 'mine' } }
    expect(losses(await run({ ...options, objective: denoising(own) }))).toEqual(losses(await run(options)))
  })

  test('is rebuilt from its spec, and the spec says every setting', async () => {
    const objective = classConditional(tinyModel, { meanType: 'x0' }, { timestepSampler: 'lossSecondMoment' })
    const { spec } = objectiveFromSpec(JSON.parse(JSON.stringify(objective.spec)) as object)
    expect(spec).toEqual(objective.spec)
    expect(spec.process).toEqual({
      kind: 'gaussian',
      schedule: 'linear',
      numTimesteps: 1000,
      meanType: 'x0',
      varianceType: 'learnedRange',
      lossType: 'mse',
    })
    expect(classConditional(tinyModel, { lossWeight: 'none' }).spec.process).toEqual(
      classConditional(tinyModel).spec.process,
    )
    const betas = Float64Array.of(0.1, 0.2, 0.3)
    expect(classConditional(tinyModel, { betas }).spec.process).toMatchObject({ betas: [0.1, 0.2, 0.3] })
    expect(() => objectiveFromSpec({ kind: 'circle' })).toThrow(
      'the spec must be of a denoising DiT, or a student of one (it is of "circle"',
    )
  })

  test('keeps a loss weight and the ends of a schedule, with every number of them', () => {
    const process = { schedule: 'quad', betaEnd: 0.03, lossWeight: { p2: { gamma: 0.5 } } } as const
    const { spec } = classConditional(tinyModel, process)
    expect(spec.process).toMatchObject({ schedule: 'quad', betaEnd: 0.03, lossWeight: { p2: { k: 1, gamma: 0.5 } } })
    expect(spec.process).not.toHaveProperty('betaStart')
    expect(objectiveFromSpec(JSON.parse(JSON.stringify(spec)) as object).spec).toEqual(spec)
    expect(classConditional(tinyModel, { lossWeight: { minSnr: 5 } }).spec.process).toMatchObject({
      lossWeight: { minSnr: 5 },
    })
  })

  test('trains a flow, whose spec says every setting, and resumes it to the bit', async () => {
    const model = { ...tinyModel, learnSigma: false }
    const objective = classConditional(model, {
      kind: 'flow',
      networkTime: 'towardsData',
      times: { law: 'logitNormal' },
    })
    expect(objective.spec.process).toMatchObject({
      kind: 'flow',
      interpolant: 'linear',
      prediction: 'velocity',
      weighting: 'none',
      interval: { min: 0, max: 1 },
    })
    expect(objectiveFromSpec(JSON.parse(JSON.stringify(objective.spec)) as object).spec).toEqual(objective.spec)
    const [whole, broken] = [memoryRunStore(), memoryRunStore()]
    const found = losses(await run({ ...options, objective, steps: 120, store: whole }))
    await run({ ...options, objective, steps: 120, store: broken, ...stoppingAfter(50) })
    await run({ ...options, objective, steps: 120, store: broken })
    expect(await broken.inspect('log.jsonl')).toEqual(await whole.inspect('log.jsonl'))
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length
    expect(mean(found.slice(-20))).toBeLessThan(0.8 * mean(found.slice(0, 5)))
  })

  test('takes a process of your own, which trains to the same bits as the one that it is', async () => {
    const own = denoising(dit(tinyModel), { kind: 'own', process: gaussianProcess(), spec: { name: 'mine' } })
    expect(own.spec.process).toEqual({ kind: 'own', name: 'mine' })
    expect(losses(await run({ ...options, objective: own }))).toEqual(losses(await run(options)))
    expect(() => objectiveFromSpec(own.spec)).toThrow('the spec must be of a denoising DiT')
  })

  test('a flow refuses a sampler that remembers timesteps, and settings of a diffusion', () => {
    const model = { ...tinyModel, learnSigma: false }
    expect(() => classConditional(model, { kind: 'flow' }, { timestepSampler: 'lossSecondMoment' })).toThrow(
      'lossSecondMoment remembers losses by timestep, which a flow does not have',
    )
    const table = { ...model, timestepEmbedding: 'table' as const }
    expect(() => classConditional(table, { kind: 'flow' })).toThrow('the network knows whole timesteps only')
    expect(() => classConditional(model, { kind: 'flow', schedule: 'linear' } as never)).toThrow(
      'a flow process has no setting schedule',
    )
  })

  test('measures a flow and a diffusion on held-out pictures alike', async () => {
    const model = { ...tinyModel, learnSigma: false }
    const params = classConditional(model, { kind: 'flow' }).init({ seed: 1, backend: base.backend })
    const held = { batches: () => [tinyBatch(0, 8)] }
    const ofX0 = heldOutMeasures(classConditional(model, { varianceType: 'fixedSmall', meanType: 'x0' }), held)
    const ofFlow = heldOutMeasures(classConditional(model, { kind: 'flow', prediction: 'x0' }), held)
    // A fresh model gives 0, whatever it is told: black for both.
    const [a, b] = [await ofX0.measure(params), await ofFlow.measure(params)]
    expect(b.geometricMean).toBeCloseTo(a.geometricMean, 12)
    expect(a.levels.map(({ snr }) => snr)).toEqual([100, 10, 1, 0.1, 0.01])
  })

  test('trains on weighted errors', async () => {
    const weighted = classConditional(tinyModel, { lossWeight: { minSnr: 1 } })
    const [plain, other] = [losses(await run(options)), losses(await run({ ...options, objective: weighted }))]
    // Every weight of the noise is at most 1, and most are below.
    expect(other[0]).toBeLessThan(plain[0])
  })

  test('refuses networks and settings that do not fit', () => {
    const fixed = { ...tinyModel, learnSigma: false }
    expect(() => classConditional(fixed)).toThrow(
      'the network has 1 output channels, but the process needs 2, half of them for the variance; give it outputsPerChannel 2 (a DiT: learnSigma true)',
    )
    expect(() => classConditional(tinyModel, { kind: 'wave' } as never)).toThrow(
      'the process must be gaussian or flow (got wave)',
    )
    expect(() => classConditional(tinyModel, { lossWeight: { minSnr: 0 } })).toThrow(
      'denoising: minSnr must be a positive number (got 0)',
    )
    expect(() => classConditional(tinyModel, { numTimesteps: 20 })).toThrow('linear needs at least 21 timesteps')
    expect(() => classConditional(tinyModel, { steps: 3 } as never)).toThrow('a gaussian process has no setting steps')
    expect(() => classConditional(tinyModel, {}, { timestepSampler: 'all' as never })).toThrow(
      'timestepSampler must be uniform or lossSecondMoment (got all)',
    )
  })

  test.each([
    ['kl', 'learnedRange', ['loss']],
    ['mse', 'learnedRange', ['loss', 'mse', 'vb']],
    ['mse', 'fixedSmall', ['loss', 'mse']],
  ] as const)('with %s and %s logs the terms %j', async (lossType, varianceType, terms) => {
    const model = { ...tinyModel, learnSigma: varianceType === 'learnedRange' }
    const objective = classConditional(model, { lossType, varianceType })
    expect(objective.terms).toEqual(terms)
    const [, step] = await run({ ...options, objective, steps: 1 })
    const keys = step.type === 'step' ? Object.keys(step.record) : []
    expect(keys.slice(1, keys.indexOf('gradNorm'))).toEqual(terms)
  })
})

test('parameters of a checkpoint of any objective are read by their names', async () => {
  const store = memoryRunStore()
  await run({ ...base, store })
  const params = await loadCheckpointParams(store, last, 'ema', base.backend)
  expect(Object.keys(params)).toEqual(Object.keys(circle.parameters))
})
