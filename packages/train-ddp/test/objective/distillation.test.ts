import { initParams } from '@dit/model'
import { normals, randomStream as streamOf } from '@dit/random'
import {
  type Params,
  randomNormal,
  randomStream,
  reference,
  scope,
  mean,
  tensor,
  type Tensor,
  valueAndGrad,
} from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import {
  defineNetwork,
  denoising,
  distillation,
  type DistillationOptions,
  dit,
  loadCheckpointParams,
  memoryRunStore,
  type Network,
  objectiveFromSpec,
  type Place,
  pictureBatch,
  studentDiT,
  type TrainOptions,
} from '../../src/index.js'
import { losses, run, stoppingAfter, tinyBatch, tinyData, tinyModel, tinyRecipe } from '../setting.js'

const backend = reference()
const config = { ...tinyModel, learnSigma: false }
const network = dit(config)
const process = { kind: 'flow' } as const
/** Without zeros, so that every path through the network counts. */
const teacher: Params = Object.fromEntries(
  Object.entries(initParams(config, { seed: 3, backend })).map(([name, { shape }]) => [
    name,
    scope(() => randomNormal(shape, randomStream(4, name), { backend })),
  ]),
)
const settings: DistillationOptions = {
  teacher,
  teacherDigest: 'ab',
  startSteps: 8,
  numSteps: 2,
  guidanceScale: 2,
}
const objective = distillation(network, process, settings)
const options: TrainOptions = { objective, recipe: tinyRecipe, data: tinyData(), backend, seed: 2, steps: 4 }
const place: Place = { seed: 5, step: 1, start: 0, recompute: 'none', backend }
const numbers = async (x: Tensor) => [...(await x.data())]

test('the student begins as the teacher, in weights of its own', async () => {
  const params = objective.init({ seed: 1, backend })
  for (const name of Object.keys(teacher)) {
    expect(await numbers(params[name])).toEqual(await numbers(teacher[name]))
    params[name].dispose()
  }
  // The teacher lives on.
  expect(await numbers(teacher['x_embedder.proj.bias'])).toHaveLength(8)
})

test('draws every step of the student, and is sampled along as many', () => {
  const drawn = objective.draw!(null, { seed: 1, step: 1, batchSize: 64 })
  expect(new Set(drawn.timesteps)).toEqual(new Set([0, 1]))
  expect(objective.path.steps.map(({ from, to }) => [from.t, to.t])).toEqual([
    [1, 0.5],
    [0.5, 0],
  ])
})

test('gradients are those of finite differences', async () => {
  const batch = tinyBatch(0)
  const drawn = objective.draw!(null, { seed: 5, step: 1, batchSize: 4 })
  const value = (params: Params) => mean(objective.losses(params, batch, drawn, place).loss)
  const student = objective.init({ seed: 1, backend })
  const { gradients } = valueAndGrad(student, (params) => ({ loss: value(params) }))
  for (const name of ['final_layer.linear.bias', 'blocks.0.attn.qkv.weight', 'y_embedder.embedding_table.weight']) {
    const { shape, size } = student[name]
    const plain = await numbers(student[name])
    const direction = normals(streamOf(9, name), size)
    const at = async (h: number) => {
      const moved = tensor(
        plain.map((x, i) => x + h * direction[i]),
        shape,
        { backend, dtype: student[name].dtype },
      )
      return (await numbers(scope(() => value({ ...student, [name]: moved }))))[0]
    }
    const h = 1e-5
    const slope = ((await at(h)) - (await at(-h))) / (2 * h)
    const found = (await numbers(gradients[name])).reduce((sum, x, i) => sum + x * direction[i], 0)
    expect(Math.abs(slope)).toBeGreaterThan(1e-6)
    // Float64: the third derivative times h^2, and rounding of the loss over h.
    expect(Math.abs(found - slope)).toBeLessThan(1e-5 * Math.max(1, Math.abs(slope)))
  }
})

/** Says its class at the data: x0 is the label's number, and -1 for none. Its one weight is not used for that. */
const clear = defineNetwork<{ readonly kind: 'clear' }, Int32Array>({
  spec: { kind: 'clear' },
  parameters: { bias: { shape: [1] } },
  blocks: 0,
  inputShape: [1, 1, 1],
  outputsPerChannel: 1,
  classes: { numClasses: 3, nullLabel: 3, conditions: (labels) => labels },
  init: ({ backend }) => ({ bias: tensor([0], [1], { backend }) }),
  conditions: ({ arrays }) => arrays.labels.data as Int32Array,
  forward: (_, { conditions }) =>
    tensor(
      Array.from(conditions, (label) => (label === 3 ? -1 : label)),
      [conditions.length, 1, 1, 1],
      { backend },
    ),
})

test('the target is the guided x0, where the teacher is sure of it', async () => {
  const batch = pictureBatch(new Float32Array(3), Int32Array.of(0, 1, 2), [1, 1, 1])
  const bias = { bias: tensor([0], [1], { backend }) }
  const one = distillation(clear, { kind: 'flow', prediction: 'x0' }, { ...settings, teacher: bias, guidanceScale: 3 })
  const drawn = { timesteps: Int32Array.of(0, 1, 0), importanceWeights: new Float32Array(3).fill(1) }
  const found = await numbers(one.losses(bias, batch, drawn, place).mse)
  // x0 is -1 + 3 (label + 1), which is 2 (label + 1) away from the student's.
  for (const [label, mse] of found.entries()) expect(mse).toBeCloseTo((2 * (label + 1)) ** 2, 5)
})

test('a run that was stopped ends in the bits of one that was not, and its spec names the teacher', async () => {
  const [whole, halves] = [memoryRunStore(), memoryRunStore()]
  const unbroken = losses(await run({ ...options, store: whole }))
  const first = await run({ ...options, ...stoppingAfter(2), store: halves })
  const second = await run({ ...options, store: halves })
  expect([...losses(first), ...losses(second)]).toEqual(unbroken)
  const path = 'checkpoints/step-0000004'
  const [a, b] = await Promise.all([whole, halves].map((store) => loadCheckpointParams(store, path, 'ema', backend)))
  for (const name of Object.keys(a)) expect(await numbers(b[name])).toEqual(await numbers(a[name]))
  const other = distillation(network, process, { ...settings, teacherDigest: 'cd' })
  await expect(run({ ...options, objective: other, steps: 5, store: halves })).rejects.toThrow('teacher')
})

test('is the same with micro-batches, up to the rounding of the sum', async () => {
  const whole = losses(await run(options))
  const parts = losses(await run({ ...options, recipe: { ...tinyRecipe, microBatchSize: 3 } }))
  // float64, four steps
  parts.forEach((loss, i) => expect(Math.abs(loss / whole[i] - 1)).toBeLessThan(1e-9))
})

describe('a student that takes the scale as an input', () => {
  const told = studentDiT({ ...config, guidanceRange: [1, 3] })
  const first = { ...settings, teacherNetwork: network as Network, guidanceScale: 1 }
  const student = distillation(told, process, first)

  test('begins as the teacher, whatever the scale', async () => {
    const params = student.init({ seed: 1, backend })
    const xt = randomNormal([2, 1, 4, 4], randomStream(1, 'xt'), { backend })
    const labels = Int32Array.of(0, 2)
    const inputs = { xt, timesteps: Float32Array.of(0.2, 0.9) }
    const plain = { recompute: 'none' } as const
    const expected = await numbers(network.forward(teacher, { ...inputs, conditions: labels }, plain))
    const guidance = Float32Array.of(1, 2.5)
    expect(await numbers(told.forward(params, { ...inputs, conditions: { labels, guidance } }, plain))).toEqual(
      expected,
    )
    expect(Object.keys(params)).toEqual(Object.keys(told.parameters))
  })

  test('learns the output that is guided by the scale of each example', async () => {
    const batch = tinyBatch(0)
    const drawn = student.draw!(null, { seed: 5, step: 1, batchSize: 4 })
    const params = student.init({ seed: 1, backend })
    const found = await numbers(student.losses(params, batch, drawn, place).mse)
    const { guidance: scales } = told.conditions(batch, place)
    expect(new Set(scales).size).toBe(4)
    for (const scale of scales) expect(scale >= 1 && scale <= 3).toBe(true)
    // A student begins as its teacher, so that with one scale for all it is off by as much.
    for (const [i, guidanceScale] of scales.entries()) {
      const fixed = distillation(network, process, { ...settings, guidanceScale })
      const { mse } = fixed.losses(teacher, batch, drawn, place)
      expect(found[i] / (await numbers(mse))[i] - 1).toBeCloseTo(0, 9)
    }
  })

  test('is taught by itself in the next stage', async () => {
    const params = student.init({ seed: 1, backend })
    const random = Object.fromEntries(
      Object.entries(params).map(([name, { shape }]) => [
        name,
        randomNormal(shape, randomStream(4, name), { backend }),
      ]),
    )
    const next = { teacher: random, teacherDigest: 'ab/2', startSteps: 8, numSteps: 1 }
    const { distilled } = student.spec.process
    expect(distilled).toEqual({ startSteps: 8, numSteps: 2 })
    const second = distillation(told, student.spec.process, next)
    const drawn = second.draw!(null, { seed: 5, step: 1, batchSize: 4 })
    const { gradients } = valueAndGrad(random, (weights) => ({
      loss: mean(second.losses(weights, tinyBatch(0), drawn, place).loss),
    }))
    for (const part of ['w_embedder.mlp.0.weight', 'w_embedder.mlp.2.bias']) {
      expect((await numbers(gradients[part])).some((value) => value !== 0)).toBe(true)
    }
    expect(second.spec.isFirst).toBe(false)
  })

  test('is what its spec says', () => {
    const { spec } = objectiveFromSpec(structuredClone(student.spec), { base: teacher })
    expect(spec).toEqual(student.spec)
    expect(() => objectiveFromSpec(student.spec)).toThrow(
      'the spec has a teacher, so the option base must have its parameters',
    )
    expect(() => denoising(network, student.spec.process)).toThrow('that of a distilled student')
  })

  test('refuses a fixed scale, another size, and a teacher of other steps', () => {
    const made = (changes: Partial<DistillationOptions>) => () => distillation(told, process, { ...first, ...changes })
    expect(made({ guidanceScale: 2 })).toThrow(
      'the student takes the scale as an input, so leave guidanceScale out (got 2)',
    )
    const wide = dit({ ...config, hiddenSize: 16 }) as Network
    const weights = initParams({ ...config, hiddenSize: 16 }, { seed: 1, backend })
    expect(made({ teacherNetwork: wide, teacher: weights })).toThrow("the student must be of the teacher's size, with ")
    const another = { ...process, distilled: { startSteps: 8, numSteps: 8 } }
    expect(() => distillation(network, another, settings)).toThrow(
      'the teacher is a student of 8 steps of 8, so its student must have 4 of them (got 2 of 8)',
    )
    const fitting = { ...process, distilled: { startSteps: 8, numSteps: 4 } }
    expect(() => distillation(network, fitting, settings)).toThrow('is guided by itself')
    expect(() => dit({ ...config, guidanceRange: [1, 3] })).toThrow('use studentDiT')
    expect(() => studentDiT(config)).toThrow('must have guidanceRange')
  })
})

describe('refuses', () => {
  const made = (changes: Partial<DistillationOptions>, of = network) =>
    distillation(of, process, { ...settings, ...changes })
  test('a teacher of another size', () => {
    expect(() => made({}, dit({ ...config, hiddenSize: 16 }))).toThrow('distillation: the teacher must have ')
  })
  test('steps that halving does not lead to', () => {
    expect(() => made({ startSteps: 12, numSteps: 2 })).toThrow('times a power of two')
    expect(() => made({ startSteps: 2, numSteps: 2 })).toThrow('times a power of two')
  })
  test('guidance by a teacher without a label for no class', () => {
    const plain = { ...config, classDropout: 0 }
    const weights = initParams(plain, { seed: 1, backend })
    expect(() => made({ teacher: weights }, dit(plain))).toThrow(
      'distillation: guidanceScale 2 needs a teacher with a label for no class (a DiT: trained with classDropout above 0)',
    )
    expect(made({ teacher: weights, guidanceScale: 1 }, dit(plain)).spec.guidanceScale).toBe(1)
  })
  test('a process that the network does not fit, a scale that is no number and an empty digest', () => {
    expect(() => distillation(network, {}, settings)).toThrow('but the process needs 2')
    expect(() => made({ guidanceScale: Number.NaN })).toThrow('guidanceScale must be finite (got NaN)')
    expect(() => made({ teacherDigest: '' })).toThrow('teacherDigest must identify the teacher')
  })
})
