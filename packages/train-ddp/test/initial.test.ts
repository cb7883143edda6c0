import type { Communicator } from '@dit/collectives'
import { initParams } from '@dit/model'
import { reference, tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { localCommunicators } from '../../../test/support/local-communicators.js'
import { loadCheckpointParams, memoryRunStore, shareParams, trainOnly, type TrainOptions } from '../src/index.js'
import { run, stoppingAfter, tinyData, tinyModel, tinyObjective, tinyRecipe } from './setting.js'

const backend = reference()
const initial = initParams(tinyModel, { seed: 9, backend })
const base: TrainOptions = {
  objective: tinyObjective,
  recipe: tinyRecipe,
  data: tinyData(),
  backend,
  seed: 2,
  steps: 4,
}

async function valuesOf(store: ReturnType<typeof memoryRunStore>, step: number, which: string) {
  const params = await loadCheckpointParams(store, `checkpoints/step-000000${step}`, which, backend)
  const pairs = Object.entries(params).map(async ([name, each]) => [name, [...(await each.data())]] as const)
  return Object.fromEntries(await Promise.all(pairs)) as Record<string, number[]>
}

describe('parameters to begin with', () => {
  test("are what a run begins from, and stay the caller's", async () => {
    const store = memoryRunStore()
    await run({ ...base, initial, store, steps: 1, recipe: { ...tinyRecipe, learningRate: 0 } })
    const model = await valuesOf(store, 1, 'model')
    for (const [name, each] of Object.entries(initial)) expect(model[name], name).toEqual([...(await each.data())])
  })

  test('are not needed by a resumed run, which ends in the same bytes', async () => {
    const [whole, broken] = [memoryRunStore(), memoryRunStore()]
    await run({ ...base, initial, store: whole })
    await run({ ...base, initial, store: broken, ...stoppingAfter(2) })
    await run({ ...base, store: broken })
    for (const file of ['model', 'ema', 'optimizer']) {
      const path = `checkpoints/step-0000004/${file}.safetensors`
      expect(await broken.inspect(path), file).toEqual(await whole.inspect(path))
    }
  })

  test.each([
    [
      () => ({ ...initial, pos_embed: tensor([1], [1], { backend }) }),
      'train: initial must have pos_embed as [1, 4, 8] (got [1])',
    ],
    [
      () => Object.fromEntries(Object.entries(initial).slice(1)),
      'train: initial must have pos_embed as [1, 4, 8] (got nothing)',
    ],
    [() => ({ ...initial, more: initial.pos_embed }), 'train: initial has more, which the objective does not train'],
    [
      () => initParams(tinyModel, { backend: reference() }),
      "train: initial must live on the run's own backend, reference (",
    ],
  ])('are refused if they do not fit', async (make, message) => {
    await expect(run({ ...base, initial: make() })).rejects.toThrow(message)
  })
})

describe('frozen parameters', () => {
  const groups = [trainOnly(['final', 'labels'], tinyObjective.parameters)]
  const recipe = { ...tinyRecipe, groups, weightDecay: 0.1 }
  const isTrained = (name: string) => /^(final_layer|y_embedder)/.test(name)

  test('have no moments, no decay, and are their own average to the bit', async () => {
    const store = memoryRunStore()
    await run({ ...base, initial, recipe, store })
    const [model, ema] = [await valuesOf(store, 4, 'model'), await valuesOf(store, 4, 'ema')]
    for (const [name, each] of Object.entries(initial)) {
      const before = [...(await each.data())]
      if (isTrained(name)) continue
      expect(model[name], name).toEqual(before)
      expect(ema[name], name).toEqual(before)
    }
    expect(model['final_layer.linear.weight']).not.toEqual([...(await initial['final_layer.linear.weight'].data())])
    const slots = await store.openTensors('checkpoints/step-0000004/optimizer.safetensors')
    expect([...slots.entries.keys()].every((name) => /^exp_avg(_sq)?\.(final_layer|y_embedder)/.test(name))).toBe(true)
  })

  test('resume to the bit', async () => {
    const [whole, broken] = [memoryRunStore(), memoryRunStore()]
    await run({ ...base, initial, recipe, store: whole })
    await run({ ...base, initial, recipe, store: broken, ...stoppingAfter(2) })
    await run({ ...base, recipe, store: broken })
    for (const file of ['model', 'ema', 'optimizer']) {
      const path = `checkpoints/step-0000004/${file}.safetensors`
      expect(await broken.inspect(path), file).toEqual(await whole.inspect(path))
    }
  })

  test('of a run that trained them before have an average of its own, which goes on towards them', async () => {
    const store = memoryRunStore()
    await run({ ...base, initial, store, steps: 2 })
    const [model, before] = [await valuesOf(store, 2, 'model'), await valuesOf(store, 2, 'ema')]
    const labels = [trainOnly(['labels'], tinyObjective.parameters)]
    await run({ ...base, recipe: { ...recipe, groups: labels }, store, allowInexact: true })
    const after = await valuesOf(store, 4, 'ema')
    const name = 'final_layer.linear.weight'
    expect(before[name]).not.toEqual(model[name])
    const distance = (values: number[]) => Math.hypot(...values.map((value, i) => value - model[name][i]))
    expect(distance(after[name])).toBeLessThan(distance(before[name]))
    expect(distance(after[name])).toBeGreaterThan(0)
  })
})

describe('shareParams', () => {
  const shapes = { a: [2, 2], b: [3] }
  const params = { a: tensor([1, 2, 3, 4], [2, 2], { backend }), b: tensor([5, 6, 7], [3], { backend }) }

  test('brings those of rank 0 to every rank', async () => {
    const one = async (communicator: Communicator) =>
      shareParams(communicator, communicator.rank === 0 ? params : undefined, shapes, backend)
    const [first, ...others] = await Promise.all(localCommunicators(3).map(one))
    expect(first).toBe(params)
    for (const other of others) {
      expect([...(await other.a.data())]).toEqual([1, 2, 3, 4])
      expect(other.b.shape).toEqual([3])
      expect(other.a).not.toBe(params.a)
    }
  })

  test('gives back those of the only rank', async () => {
    expect(await shareParams(localCommunicators(1)[0], params, shapes, backend)).toBe(params)
  })

  test('ends with what went wrong on rank 0', async () => {
    const one = async (communicator: Communicator) =>
      shareParams(communicator, communicator.rank === 0 ? { a: params.a } : undefined, shapes, backend)
    const results = await Promise.allSettled(localCommunicators(2).map(one))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })
})
