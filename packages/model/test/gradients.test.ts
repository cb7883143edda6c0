import {
  accumulate,
  dispose,
  mean,
  mul,
  type Params,
  randomNormal,
  randomStream,
  reference,
  square,
  sub,
  sum,
  useBackend,
  valueAndGrad,
} from '@dit/tensor'
import { expect, test } from 'vitest'
import { type DiTConfig, forward, type ForwardOptions, initParams, trainableParams } from '../src/index.js'
import { moved, randomInputs, randomParams, randomTarget, TINY, VARIANTS } from './tiny.js'

const backend = await useBackend(reference())

/** Gradient of <output, constant> with respect to all parameters. */
function gradientsOf(config: DiTConfig, params: Params, options?: ForwardOptions): Params {
  const inputs = randomInputs(config, 2)
  const constant = randomTarget(inputs, config)
  const { loss, gradients } = valueAndGrad(params, (params) => ({
    loss: sum(mul(forward(config, params, inputs, options), constant)),
  }))
  loss.dispose()
  return gradients
}

test.each<[string, DiTConfig]>([
  ['sinusoidal timesteps', TINY],
  [
    'learned tables, a rectangle',
    { ...TINY, depth: 1, inputSize: [2, 6], positions: 'learned', timestepEmbedding: 'table', numTimesteps: 30 },
  ],
  ...Object.entries(VARIANTS),
])('has the gradients of central differences, parameter by parameter (%s)', async (_, config) => {
  const params = randomParams(config)
  const gradients = gradientsOf(config, params)
  const inputs = randomInputs(config, 2)
  const constant = randomTarget(inputs, config)
  const lossAt = async (params: Params) => (await sum(mul(forward(config, params, inputs), constant)).data())[0]
  const step = 1e-5
  for (const [name, parameter] of Object.entries(params)) {
    const got = await gradients[name].data()
    for (const i of new Set([0, got.length >> 1, got.length - 1])) {
      const [high, low] = await Promise.all(
        [step, -step].map(async (delta) => lossAt({ ...params, [name]: await moved(parameter, i, delta) })),
      )
      const want = (high - low) / (2 * step)
      // float64: rounding of the loss (1e-16 times tens, over 1e-5) and the cubic term, 1e-10 of the third derivative
      expect(Math.abs(got[i] - want), `${name}[${i}]`).toBeLessThan(1e-6 * (1 + Math.abs(want)))
    }
  }
})

test.each(['TINY', 'cross-attention', 'everything'] as const)(
  'recomputing the blocks gives the same bits (%s)',
  async (name) => {
    const config = name === 'TINY' ? TINY : VARIANTS[name]
    const params = randomParams(config)
    const stored = gradientsOf(config, params)
    const recomputed = gradientsOf(config, params, { recompute: 'block' })
    for (const name of Object.keys(params)) {
      expect(await recomputed[name].data(), name).toEqual(await stored[name].data())
    }
  },
)

test('recomputing the blocks needs less memory at the peak', () => {
  const config = { ...TINY, depth: 6, inputSize: 16 }
  const peakOf = (recompute: 'none' | 'block') => {
    const own = reference()
    const params = initParams(config, { backend: own })
    const { timesteps, labels } = randomInputs(config, 2)
    const xt = randomNormal([2, 2, 16, 16], randomStream(1), { backend: own })
    const { bytes } = own.memory()
    valueAndGrad(params, (params) => ({
      loss: mean(square(forward(config, params, { xt, timesteps, labels }, { recompute }))),
    }))
    return own.memory().peakBytes - bytes
  }
  expect(peakOf('block')).toBeLessThan(0.5 * peakOf('none')) // one block of six, and the inputs of all
})

test.each([['TINY', TINY], ...Object.entries(VARIANTS)] as const)(
  'leaves no buffer behind but the gradients (%s)',
  (_, config) => {
    const params = randomParams(config)
    gradientsOf(config, params)
    for (const recompute of ['none', 'block'] as const) {
      const before = backend.memory().buffers
      const gradients = gradientsOf(config, params, { recompute })
      dispose(gradients)
      expect(backend.memory().buffers).toBe(before + 2) // xt and the constant of gradientsOf
    }
  },
)

test('a fresh model wakes up from its end: gradients of the first three steps', async () => {
  const config = { ...TINY, numClasses: 2 }
  const params = initParams(config, { seed: 1 })
  const trained = trainableParams(config, params)
  const inputs = { ...randomInputs(config, 3), labels: [0, 1, 2] }
  const target = randomTarget(inputs, config)
  const moving: string[][] = []
  const seen = new Set<string>()
  for (let step = 1; step <= 3; step++) {
    const { gradients } = valueAndGrad(trained, (trained) => ({
      loss: mean(square(sub(forward(config, { ...params, ...trained }, inputs), target))),
    }))
    const names: string[] = []
    for (const [name, gradient] of Object.entries(gradients)) {
      if ((await gradient.data()).some((value) => value !== 0) && !seen.has(name)) names.push(name)
      accumulate(trained[name], gradient, -0.1)
    }
    for (const name of names) seen.add(name)
    moving.push(names)
  }
  const [first, second, third] = moving
  expect(first).toEqual(['final_layer.linear.weight', 'final_layer.linear.bias'])
  expect(second).toEqual([
    'x_embedder.proj.weight',
    'x_embedder.proj.bias',
    ...[0, 1].flatMap((i) => [`blocks.${i}.adaLN_modulation.1.weight`, `blocks.${i}.adaLN_modulation.1.bias`]),
    'final_layer.adaLN_modulation.1.weight',
    'final_layer.adaLN_modulation.1.bias',
  ])
  expect([...seen].toSorted()).toEqual(Object.keys(trained).toSorted())
  expect(third).toHaveLength(Object.keys(trained).length - first.length - second.length)
})
