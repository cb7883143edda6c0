import { initParams } from '@dit/model'
import { mul, type Params, randomNormal, randomStream, reference, scope, sum, tensor, valueAndGrad } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import {
  classConditional,
  denoising,
  dit,
  loadCheckpointParams,
  lowRank,
  memoryRunStore,
  objectiveFromSpec,
  type TrainOptions,
} from '../../src/index.js'
import { losses, run, stoppingAfter, tinyBatch, tinyData, tinyModel, tinyRecipe } from '../setting.js'

const backend = reference()
const whole = dit(tinyModel)
/** Without zeros, so that every path through the network counts. */
const base: Params = Object.fromEntries(
  Object.entries(initParams(tinyModel, { seed: 3, backend })).map(([name, { shape }]) => [
    name,
    randomNormal(shape, randomStream(4, name), { backend }),
  ]),
)
const network = lowRank(whole, base, { rank: 2, alpha: 3, trained: '^y_embedder', base: 'ab' })
const objective = denoising(network)
const options: TrainOptions = { objective, recipe: tinyRecipe, data: tinyData(), backend, seed: 2, steps: 4 }
const QKV = 'blocks.0.attn.qkv'

const inputs = () => {
  const batch = tinyBatch(0)
  return {
    xt: tensor(batch.arrays.x0.data, [4, 1, 4, 4], { backend }),
    timesteps: Int32Array.of(1, 300, 600, 999),
    conditions: whole.conditions(batch, null),
  }
}

test('begins as the base: B is zero, A has deviation 1 / sqrt(columns)', async () => {
  const params = network.init({ seed: 1, backend })
  expect([...(await params[`${QKV}.lora_B.weight`].data())].every((value) => value === 0)).toBe(true)
  const [adapted, plain] = [network, whole].map((each) =>
    scope(() => each.forward(each === whole ? base : params, inputs(), { recompute: 'none' })),
  )
  expect([...(await adapted.data())]).toEqual([...(await plain.data())])
  const wide = lowRank(
    dit({ ...tinyModel, hiddenSize: 64 }),
    initParams({ ...tinyModel, hiddenSize: 64 }, { backend }),
    { rank: 32 },
  )
  const a = await wide.init({ seed: 1, backend })[`${QKV}.lora_A.weight`].data()
  const deviation = Math.sqrt([...a].reduce((total, value) => total + value ** 2, 0) / a.length)
  // 2,048 draws: within 1.6 % with 68 %.
  expect(deviation * 8).toBeCloseTo(1, 1)
})

test('trains adapters and what is named in full, and nothing else', () => {
  const names = Object.keys(network.parameters)
  expect(names).toContain('y_embedder.embedding_table.weight')
  expect(names.filter((name) => !name.includes('.lora_'))).toHaveLength(1)
  expect(names).toHaveLength(9)
  expect(network.spec).toEqual({
    kind: 'dit',
    config: tinyModel,
    lora: { rank: 2, alpha: 3, match: '^blocks\\.\\d+\\.(?:attn|mlp)\\.', trained: '^y_embedder', base: 'ab' },
  })
})

describe('gradients', () => {
  const params: Params = Object.fromEntries(
    Object.entries(network.parameters).map(([name, { shape }]) => [
      name,
      randomNormal(shape, randomStream(6, name), { backend }),
    ]),
  )
  const outputs = inputs()
  const weights = randomNormal([4, 2, 4, 4], randomStream(8, 'weights'), { backend })
  const value = (given: Params, recompute: 'none' | 'block') =>
    scope(() => sum(mul(network.forward(given, outputs, { recompute }), weights)))

  test.each(['none', 'block'] as const)('are those of central differences, recompute %s', async (recompute) => {
    const { gradients } = valueAndGrad(params, () => ({ loss: value(params, recompute) }))
    for (const name of [
      `${QKV}.lora_A.weight`,
      `${QKV}.lora_B.weight`,
      'blocks.0.mlp.fc2.lora_A.weight',
      'y_embedder.embedding_table.weight',
    ]) {
      const found = await gradients[name].data()
      for (const index of [0, 5]) {
        const ends = [1e-4, -1e-4].map(async (delta) => {
          const values = Float64Array.from(await params[name].data())
          values[index] += delta
          const moved = tensor(values, params[name].shape, { backend })
          return (await value({ ...params, [name]: moved }, 'none').data())[0]
        })
        const [high, low] = await Promise.all(ends)
        const expected = (high - low) / 2e-4
        // float64: the error of the second order is far below.
        expect(Math.abs(found[index] - expected), `${name} ${index}`).toBeLessThan(
          1e-4 * Math.max(1, Math.abs(expected)),
        )
      }
    }
  })
})

test('a run resumes to the bit, and its checkpoints hold what is trained only', async () => {
  const [unbroken, broken] = [memoryRunStore(), memoryRunStore()]
  const events = await run({ ...options, store: unbroken })
  await run({ ...options, store: broken, ...stoppingAfter(2) })
  await run({ ...options, store: broken })
  for (const file of ['model', 'ema', 'optimizer']) {
    const path = `checkpoints/step-0000004/${file}.safetensors`
    expect(await broken.inspect(path), file).toEqual(await unbroken.inspect(path))
  }
  const saved = await loadCheckpointParams(unbroken, 'checkpoints/step-0000004', 'model', backend)
  expect(Object.keys(saved).toSorted()).toEqual(Object.keys(network.parameters).toSorted())
  expect(new Set(losses(events)).size).toBe(4)
  const b = await saved[`${QKV}.lora_B.weight`].data()
  expect([...b].some((x) => x !== 0)).toBe(true)
})

test('a run is not resumed with another rank, or on another base', async () => {
  const store = memoryRunStore()
  await run({ ...options, store, ...stoppingAfter(2) })
  const other = denoising(lowRank(whole, base, { rank: 2, alpha: 3, trained: '^y_embedder', base: 'cd' }))
  await expect(run({ ...options, objective: other, store })).rejects.toThrow(
    'network.lora.base of the objective was "ab" and is "cd"',
  )
})

test('composing gives the whole network, whose new weights are freed', async () => {
  const params = network.init({ seed: 1, backend })
  const before = backend.memory().buffers
  const composed = network.compose(params)
  expect(Object.keys(composed.params)).toEqual(Object.keys(whole.parameters))
  expect(composed.params['x_embedder.proj.weight']).toBe(base['x_embedder.proj.weight'])
  expect(backend.memory().buffers).toBe(before + 4)
  composed.dispose()
  expect(backend.memory().buffers).toBe(before)
})

test('a forward pass leaks nothing', () => {
  const params = network.init({ seed: 1, backend })
  const given = inputs()
  const before = backend.memory().buffers
  network.forward(params, given, { recompute: 'none' }).dispose()
  expect(backend.memory().buffers).toBe(before)
})

test('a spec with adapters is built on its base only', () => {
  const spec = JSON.parse(JSON.stringify(objective.spec)) as object
  expect(objectiveFromSpec(spec, { base }).spec).toEqual(spec)
  expect(() => objectiveFromSpec(spec)).toThrow(
    'objectiveFromSpec: the spec has adapters, so the option base must have',
  )
  expect(objectiveFromSpec(classConditional(tinyModel).spec).spec.network.lora).toBeUndefined()
})

test('a base of another network is refused', () => {
  const { pos_embed: _, ...rest } = base
  expect(() => lowRank(whole, rest, { rank: 2 })).toThrow(
    'lowRank: the base must have pos_embed as [1, 4, 8] (got nothing)',
  )
  const wrong = { ...base, pos_embed: tensor(new Float32Array(4), [1, 2, 2], { backend }) }
  expect(() => lowRank(whole, wrong, { rank: 2 })).toThrow('pos_embed as [1, 4, 8] (got [1, 2, 2])')
})
