import type { DiTConfig } from '@dit/model'
import { integers, normals, randomStream } from '@dit/random'
import { reference, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { localCommunicators } from '../../../../test/support/local-communicators.js'
import {
  type BatchArray,
  conditionalDiT,
  denoising,
  dit,
  memoryRunStore,
  objectiveFromSpec,
  type RunStore,
  train,
  type TrainBatch,
  type TrainOptions,
  wholeBatches,
  withPrompts,
} from '../../src/index.js'
import { losses, run, stoppingAfter, tinyModel, tinyRecipe } from '../setting.js'

const backend = reference()
const config: DiTConfig = {
  ...tinyModel,
  numClasses: 0,
  classDropout: 0,
  block: 'cross-attention',
  conditions: [
    { name: 'kind', kind: 'label', classes: 3, dropout: 0.3 },
    { name: 'pose', kind: 'vector', size: 2, dropout: 0.3 },
    { name: 'caption', kind: 'tokens', size: 3, most: 4, dropout: 0.3 },
  ],
}

function batchOf(step: number, count = 4): TrainBatch {
  const draws = (name: string, size: number) => normals(randomStream(3, name, step), count * size)
  const arrays: Record<string, BatchArray> = {
    x0: { data: draws('x0', 16), shape: [1, 4, 4] },
    kind: { data: integers(randomStream(3, 'kind', step), 3, count), shape: [] },
    pose: { data: draws('pose', 2), shape: [2] },
    caption: { data: draws('caption', 9), shape: [3, 3] },
    'caption.length': { data: integers(randomStream(3, 'length', step), 4, count), shape: [] },
  }
  return { count, arrays }
}

const data = wholeBatches(async (step) => batchOf(step))
const network = conditionalDiT(config)
const base: TrainOptions = { objective: denoising(network), recipe: tinyRecipe, data, backend, seed: 1, steps: 4 }
const last = 'checkpoints/step-0000004'

async function digests(store: RunStore): Promise<(string | undefined)[]> {
  const names = ['model.safetensors', 'ema.safetensors', 'optimizer.safetensors', 'state.json']
  return Promise.all(names.map(async (name) => (await store.inspect(`${last}/${name}`))?.sha256))
}

/** Parameters that all count: a fresh network gives zeros. */
const params = Object.fromEntries(
  Object.entries(network.parameters).map(([name, { shape }]) => {
    const values = normals(
      randomStream(4, name),
      shape.reduce((size, extent) => size * extent, 1),
    )
    return [name, tensor(values, shape, { backend })]
  }),
)

async function outputOf(told: ReturnType<typeof network.conditions>): Promise<number[]> {
  const xt = tensor(
    normals(randomStream(5), told.count * 16).map((_, i, all) => all[i % 16]),
    [told.count, 1, 4, 4],
    { backend },
  )
  const timesteps = new Int32Array(told.count).fill(500)
  const inputs = { xt, timesteps, conditions: told }
  return Array.from(await network.forward(params, inputs, { recompute: 'none' }).data())
}

test('resumes to the bit after a stop', async () => {
  const [whole, broken] = [memoryRunStore(), memoryRunStore()]
  await run({ ...base, store: whole })
  const stopping = stoppingAfter(2)
  const rows: TrainOptions['data']['rows'] = async (...of) => {
    await stopping.data.rows(of[0], 0, 4)
    return data.rows(...of)
  }
  await run({ ...base, store: broken, data: { rows }, signal: stopping.signal })
  const events = await run({ ...base, store: broken })
  expect(losses(events).length).toBeLessThan(4)
  const [got, want] = [await digests(broken), await digests(whole)]
  expect(got).toEqual(want)
  expect(got).not.toContain(undefined)
})

test('trains on two workers as on one, and changes every parameter', async () => {
  const alone = losses(await run(base))
  const together = await Promise.all(
    localCommunicators(2).map(async (communicator) => losses(await run({ ...base, communicator }))),
  )
  // float64, sums in another order
  together[0].forEach((loss, i) => expect(loss).toBeCloseTo(alone[i], 10))
  // The nulls learn too, once something was dropped: the last layer begins as zero, so it takes a step.
  const first = network.init({ seed: 1, backend })
  const same: string[] = []
  for await (const event of train({ ...base, steps: 8 })) {
    if (event.type !== 'end') continue
    for (const [name, tensor] of Object.entries(first)) {
      const [was, is] = await Promise.all([tensor.data(), event.params[name].data()])
      if (was.every((value, i) => value === is[i])) same.push(name)
    }
  }
  expect(same).toEqual(['pos_embed'])
})

test('each condition is dropped by itself, as often as it says, whatever the micro-batch', async () => {
  const count = 400
  const batch = batchOf(7, count)
  const at = { seed: 1, step: 7, start: 0 }
  const dropped = await outputOf(network.conditions(batch, at))
  const kept = await outputOf(network.conditions(batch, null))
  const size = dropped.length / count
  const changed = Array.from({ length: count }, (_, i) =>
    dropped.slice(i * size, (i + 1) * size).some((value, j) => value !== kept[i * size + j]),
  )
  const share = changed.filter(Boolean).length / count
  expect(Math.abs(share - (1 - 0.7 ** 3))).toBeLessThan(0.08) // standard error 0.024: three independent chances of 0.3
  const slice = Object.fromEntries(
    Object.entries(batch.arrays).map(([name, { data, shape }]) => {
      const each = data.length / count
      return [name, { data: data.slice(100 * each, 104 * each), shape }]
    }),
  )
  const part = await outputOf(network.conditions({ count: 4, arrays: slice }, { ...at, start: 100 }))
  expect(part).toEqual(dropped.slice(100 * size, 104 * size))
})

test('its spec makes it again', () => {
  const { spec } = denoising(network)
  const again = objectiveFromSpec(JSON.parse(JSON.stringify(spec)) as object)
  expect(again.spec).toEqual(spec)
  expect(Object.keys(again.parameters)).toEqual(Object.keys(network.parameters))
})

const PROMPTS = {
  kind: { data: [2, 0] },
  pose: { data: [1, 2, 3, 4] },
  caption: { data: normals(randomStream(6), 12), lengths: [2, 1] },
}

test('prompts are classes, and their null is that of every condition', async () => {
  const classes = withPrompts(config, PROMPTS, 2).classes!
  expect([classes.numClasses, classes.nullLabel]).toEqual([2, 2])
  const got = await outputOf(classes.conditions(Int32Array.of(1, 2, 0)))
  const arrays: TrainBatch['arrays'] = {
    kind: { data: Int32Array.of(0, 2), shape: [] },
    pose: { data: Float32Array.of(3, 4, 1, 2), shape: [2] },
    caption: {
      data: Float32Array.from([...PROMPTS.caption.data.slice(6), ...PROMPTS.caption.data.slice(0, 6)]),
      shape: [2, 3],
    },
    'caption.length': { data: Int32Array.of(1, 2), shape: [] },
  }
  const want = await outputOf(network.conditions({ count: 2, arrays }, null))
  const size = want.length / 2
  expect(got.slice(0, size)).toEqual(want.slice(0, size))
  expect(got.slice(2 * size)).toEqual(want.slice(size))
  expect(got.slice(size, 2 * size)).not.toEqual(got.slice(0, size))
  expect(() => classes.conditions(Int32Array.of(3))).toThrow('withPrompts: there are 2 prompts (got number 3)')
})

test('there is no null of prompts where a condition was never dropped', () => {
  const [kind, ...others] = config.conditions!
  const never = { ...config, conditions: [{ ...kind, dropout: 0 }, ...others] }
  expect(withPrompts(never, PROMPTS, 2).classes!.nullLabel).toBeNull()
})

test.each<[string, string, BatchArray | undefined, string]>([
  [
    'a missing condition',
    'pose',
    undefined,
    'a batch must hold pose, a condition, as Float32Array (got only x0, kind, caption, caption.length)',
  ],
  [
    'labels as floats',
    'kind',
    { data: new Float32Array(4), shape: [] },
    'a batch must hold kind, a condition, as Int32Array (got Float32Array)',
  ],
  [
    'a vector of another size',
    'pose',
    { data: new Float32Array(12), shape: [3] },
    'pose must hold examples of [2] (got examples of [3])',
  ],
  [
    'tokens of another width',
    'caption',
    { data: new Float32Array(16), shape: [2, 2] },
    'caption must hold examples of [M, 3] (got examples of [2, 2])',
  ],
  [
    'more tokens than most',
    'caption',
    { data: new Float32Array(60), shape: [5, 3] },
    'caption must be 4 examples of 1 to 4 tokens of 3 numbers',
  ],
  ['no lengths', 'caption.length', undefined, 'a batch must hold caption.length, a condition, as Int32Array'],
  [
    'lengths above M',
    'caption.length',
    { data: Int32Array.of(1, 2, 3, 4), shape: [] },
    'caption must have lengths in 0..3, its tokens (length 3 is 4)',
  ],
])('refuses %s', (_, name, array, text) => {
  const { [name]: _old, ...rest } = batchOf(0).arrays
  const arrays = array === undefined ? rest : { ...rest, [name]: array }
  expect(() => network.conditions({ count: 4, arrays }, null)).toThrow(text)
})

test('a label and conditions each have their own function', () => {
  expect(() => dit(config)).toThrow('dit: the configuration has conditions, not one label; use conditionalDiT')
  expect(() => conditionalDiT(tinyModel)).toThrow('conditionalDiT: the configuration has no conditions')
})

test('an unconditional network trains', async () => {
  const alone: DiTConfig = { ...config, block: 'adaLN-Zero', conditions: [] }
  const events = await run({ ...base, objective: denoising(conditionalDiT(alone)) })
  expect(losses(events)).toHaveLength(4)
})
