import type { Communicator } from '@dit/collectives'
import { accumulate, affine, assign, mul, reference, sqrt, square, sum } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { localCommunicators } from '../../../test/support/local-communicators.js'
import {
  adamw,
  loadCheckpointParams,
  memoryRunStore,
  type Optimizer,
  type RunStore,
  type TrainOptions,
} from '../src/index.js'
import { losses, run, stoppingAfter, tinyData, tinyObjective, tinyRecipe } from './setting.js'

const backend = reference()
const recipe = { ...tinyRecipe, learningRate: 1e-2 }
const base: TrainOptions = { objective: tinyObjective, recipe, data: tinyData(), backend, seed: 2, steps: 4 }

/** Stochastic gradient descent with momentum. */
const momentum: Optimizer = {
  name: 'momentum',
  spec: { beta: 0.9 },
  slots: ['velocity'],
  unit: 'element',
  update({ parameter, gradient, slots: { velocity } }, { learningRate, gradientScale }) {
    assign(velocity, affine(velocity, 0.9))
    accumulate(velocity, gradient, gradientScale)
    accumulate(parameter, velocity, -learningRate)
  },
}

/** Steps of one length for each parameter as a whole, whatever its gradient's: it needs all of the gradient. */
const normalised: Optimizer = {
  name: 'normalised',
  slots: ['steps'],
  unit: 'matrix',
  update({ parameter, gradient, slots: { steps } }, { learningRate }) {
    const norm = sqrt(affine(sum(square(gradient), undefined, { keepDims: true }), 1, 1e-12))
    const direction = mul(gradient, affine(norm, 0, 1))
    accumulate(parameter, direction, -learningRate)
    accumulate(steps, mul(norm, affine(parameter, 0, 1)))
  },
}

async function ended(options: TrainOptions): Promise<Record<string, number[]>> {
  const values: Record<string, number[]> = {}
  const store = memoryRunStore()
  await run({ ...options, store })
  for (const which of ['model', 'ema']) {
    const params = await loadCheckpointParams(store, `checkpoints/step-000000${options.steps}`, which, backend)
    for (const [name, value] of Object.entries(params)) values[`${which} ${name}`] = [...(await value.data())]
  }
  return values
}

async function storesOf(size: number, options: Partial<TrainOptions>): Promise<RunStore> {
  const store = memoryRunStore()
  const one = async (communicator: Communicator) => {
    return run({ ...base, ...options, communicator, store: communicator.rank === 0 ? store : undefined })
  }
  await Promise.all(localCommunicators(size).map(one))
  return store
}

describe('an optimizer of your own', () => {
  test.each([momentum, normalised])('$name updates, averages, and resumes to the bit', async (optimizer) => {
    const [whole, broken] = [memoryRunStore(), memoryRunStore()]
    await run({ ...base, optimizer, store: whole })
    await run({ ...base, optimizer, store: broken, ...stoppingAfter(2) })
    await run({ ...base, optimizer, store: broken })
    for (const file of ['model', 'ema', 'optimizer']) {
      const path = `checkpoints/step-0000004/${file}.safetensors`
      expect(await broken.inspect(path)).toEqual(await whole.inspect(path))
    }
    const file = await whole.openTensors('checkpoints/step-0000004/optimizer.safetensors')
    expect([...file.entries.keys()].every((name) => name.startsWith(`${optimizer.slots[0]}.`))).toBe(true)
  })

  test.each([momentum, normalised])('$name does the same where workers hold parts', async (optimizer) => {
    // Clipping sums the squares of the gradients in another order.
    const options = { optimizer, recipe: { ...recipe, maxGradientNorm: null } }
    const parts = { ...options, bucketBytes: 512, shardOptimizer: true }
    const [plain, sharded] = [await storesOf(3, options), await storesOf(3, parts)]
    for (const file of ['model', 'ema', 'optimizer']) {
      const path = `checkpoints/step-0000004/${file}.safetensors`
      expect(await sharded.inspect(path), file).toEqual(await plain.inspect(path))
    }
    // And it goes on from there, on another number of workers.
    const events = await run({ ...base, ...options, store: sharded, steps: 6, allowInexact: true })
    expect(events[0]).toMatchObject({ type: 'start', step: 4 })
  })

  test('its step by hand: the first one is the learning rate times the clipped gradient', async () => {
    const clipped = { ...recipe, maxGradientNorm: 1, warmupSteps: 0, decay: 'constant' as const }
    const free = { ...clipped, learningRate: 0 }
    const one = { ...base, optimizer: momentum, steps: 1 }
    const [before, after] = [await ended({ ...one, recipe: free }), await ended({ ...one, recipe: clipped })]
    const moved = Object.keys(before)
      .filter((name) => name.startsWith('model '))
      .flatMap((name) => before[name].map((value, i) => after[name][i] - value))
    const length = Math.sqrt(moved.reduce((total, value) => total + value * value, 0))
    expect(length / 0.01).toBeCloseTo(1, 5)
  })

  test('is not resumed as another one, or with other settings', async () => {
    const store = memoryRunStore()
    await run({ ...base, optimizer: momentum, store, ...stoppingAfter(2) })
    await expect(run({ ...base, store })).rejects.toThrow('name of the optimizer was "momentum" and is "adamw"')
    const slower = { ...momentum, spec: { beta: 0.5 } }
    await expect(run({ ...base, optimizer: slower, store })).rejects.toThrow('beta of the optimizer was 0.9 and is 0.5')
  })

  test('is refused with an unknown unit, or a slot that is an average', async () => {
    const row = { ...momentum, unit: 'row' as never }
    await expect(run({ ...base, optimizer: row })).rejects.toThrow(
      "the optimizer's unit must be element or matrix (got row)",
    )
    const ema = { ...momentum, slots: ['ema'] }
    await expect(run({ ...base, optimizer: ema })).rejects.toThrow(
      'the optimizer has a slot ema twice, or as an average',
    )
  })

  test('AdamW given by hand is AdamW', async () => {
    expect(losses(await run({ ...base, optimizer: adamw(recipe) }))).toEqual(losses(await run(base)))
  })
})

describe('groups', () => {
  test('freeze what they say, and train the rest as if the frozen had no gradient', async () => {
    const groups = [{ name: 'blocks', match: '^blocks\\.', isFrozen: true }]
    const [start, end] = [
      await ended({ ...base, steps: 1, recipe: { ...recipe, learningRate: 0 } }),
      await ended({ ...base, recipe: { ...recipe, groups } }),
    ]
    const frozen = Object.keys(end).filter((name) => name.startsWith('model blocks.'))
    expect(frozen.length).toBeGreaterThan(0)
    for (const name of frozen) expect(end[name], name).toEqual(start[name])
    expect(end['model final_layer.linear.weight']).not.toEqual(start['model final_layer.linear.weight'])
  })

  test('of factor 1 and the same decay change nothing, however they cut the parameters', async () => {
    const groups = [
      { name: 'biases', match: 'bias$', learningRateFactor: 1 },
      { name: 'attention', match: 'attn' },
    ]
    // Clipping sums the squares of the gradients in another order.
    const free = { ...recipe, maxGradientNorm: null }
    expect(await ended({ ...base, recipe: { ...free, groups } })).toEqual(await ended({ ...base, recipe: free }))
  })

  test('a factor of 0 is a learning rate of 0', async () => {
    const groups = [{ name: 'all', match: '.', learningRateFactor: 0 }]
    const still = await ended({ ...base, recipe: { ...recipe, groups } })
    expect(still).toEqual(await ended({ ...base, recipe: { ...recipe, learningRate: 0 } }))
  })

  test('a decay of their own shrinks their parameters alone', async () => {
    const decaying = { ...recipe, weightDecay: 0, groups: [{ name: 'head', match: '^x_embedder', weightDecay: 50 }] }
    const [plain, shrunk] = [await ended({ ...base, steps: 1 }), await ended({ ...base, steps: 1, recipe: decaying })]
    const size = (values: number[]) => values.reduce((total, value) => total + value * value, 0)
    const name = 'model x_embedder.proj.weight'
    expect(size(shrunk[name])).toBeLessThan(0.7 * size(plain[name]))
    expect(shrunk['model t_embedder.mlp.0.weight']).toEqual(plain['model t_embedder.mlp.0.weight'])
  })

  test.each([
    [[{ name: 'a', match: '(' }], 'match of group a must be a regular expression (got ()'],
    [[{ name: 'rest', match: '.' }], 'groups need different names other than rest (got rest)'],
    [[{ name: 'a', match: '.', learningRateFactor: -1 }], 'learningRateFactor of group a must be a finite number'],
    [[{ name: 'a', match: 'nothing like this' }], 'no parameter is in group a (nothing like this)'],
  ])('%j is refused', async (groups, text) => {
    await expect(run({ ...base, recipe: { ...recipe, groups } })).rejects.toThrow(text)
  })
})

describe('averages', () => {
  const averages = [
    { name: 'fast', decay: 0 },
    { name: 'slow', decay: 0.5 },
    { name: 'wide', width: 0.2 },
  ]

  test('are kept beside ema, in files of their own, in parts as in full', async () => {
    const free = { ...recipe, averages, maxGradientNorm: null }
    const store = await storesOf(2, { recipe: free })
    const sharded = await storesOf(2, { recipe: free, shardOptimizer: true, bucketBytes: 512 })
    const path = 'checkpoints/step-0000004'
    for (const name of ['ema', 'fast', 'slow', 'wide']) {
      const file = `${path}/${name}.safetensors`
      expect(await sharded.inspect(file), name).toEqual(await store.inspect(file))
    }
    const read = async (which: string) => {
      const { 'final_layer.linear.bias': bias } = await loadCheckpointParams(store, path, which, backend)
      return [...(await bias.data())]
    }
    // A decay of 0 keeps nothing of before.
    expect(await read('fast')).toEqual(await read('model'))
    expect(await read('slow')).not.toEqual(await read('model'))
  })

  test('resume to the bit', async () => {
    const [whole, broken] = [memoryRunStore(), memoryRunStore()]
    const options = { ...base, recipe: { ...recipe, averages } }
    await run({ ...options, store: whole })
    await run({ ...options, store: broken, ...stoppingAfter(2) })
    await run({ ...options, store: broken })
    const slow = 'checkpoints/step-0000004/slow.safetensors'
    expect(await broken.inspect(slow)).toEqual(await whole.inspect(slow))
  })

  test.each([
    [[{ name: 'model', decay: 0.5 }], 'averages need different names'],
    [[{ name: '../x', decay: 0.5 }], 'averages need different names'],
    [[{ name: 'slow', decay: 1 }], 'decay of average slow must be in [0, 1) (got 1)'],
    [[{ name: 'slow' }], 'decay of average slow must be in [0, 1) (got undefined)'],
    [[{ name: 'wide', width: 0.1, decay: 0.5 }], 'average wide has a width, which takes the place of decay and warmup'],
    [[{ name: 'wide', width: 0.3 }], 'the width must be above 0, at most 0.2887 (got 0.3)'],
  ])('%j is refused', async (wrong, text) => {
    await expect(run({ ...base, recipe: { ...recipe, averages: wrong } })).rejects.toThrow(text)
  })
})
