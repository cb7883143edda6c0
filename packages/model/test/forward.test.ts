import { chunk, keep, randomNormal, randomStream, reference, slice, type Tensor, tensor, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'
import { type DiTConfig, forward, forwardWithTokens, initParams } from '../src/index.js'
import { readFixture } from './fixture.js'
import { randomInputs, randomParams, TINY } from './tiny.js'

const backend = await useBackend(reference())

const SMALL = {
  patchSize: 2,
  inChannels: 4,
  hiddenSize: 16,
  depth: 1,
  mlpRatio: 4,
  classDropout: 0.1,
  learnSigma: true,
}

// Tolerances: ten times the largest error of the reference implementation's own float32 runs, which distinguish an
// epsilon of 1e-6 from 1e-5 and the tanh GELU from the exact one.
test.each<[string, DiTConfig, number]>([
  ['faint-tokens', { ...SMALL, inputSize: 8, numHeads: 1, numClasses: 5 }, 8.9e-6],
  [
    'p1-2ch-3x3-fractional-t',
    { ...SMALL, inputSize: 3, patchSize: 1, inChannels: 2, hiddenSize: 20, numHeads: 5, numClasses: 2 },
    1.5e-4,
  ],
])('agrees with the reference implementation (%s)', async (name, config, tolerance) => {
  const fixture = readFixture(name)
  const params: Record<string, Tensor> = {}
  for (const [key, { shape, data }] of fixture) {
    if (key.startsWith('model.')) params[key.slice('model.'.length)] = tensor(data, shape)
  }
  const [x, t, y, want] = ['in.x', 'in.t', 'in.y', 'ref64.forward'].map((key) => fixture.get(key)!)
  const out = forward(config, params, { xt: tensor(x.data, x.shape), timesteps: t.data, labels: y.data })
  expect(out.shape).toEqual(want.shape)
  const got = await out.data()
  got.forEach((value, i) => expect(Math.abs(value - want.data[i])).toBeLessThanOrEqual(tolerance))
})

test('a fresh model is the zero function', async () => {
  const out = await forward(TINY, initParams(TINY, { seed: 3 }), randomInputs(TINY, 2)).data()
  expect(out.every((value) => value === 0)).toBe(true)
})

test.each<[string, Partial<DiTConfig>]>([
  ['rectangles', { inputSize: [2, 6] }],
  ['patches of one pixel', { patchSize: 1 }],
  ['head width 72', { hiddenSize: 72, numHeads: 1 }],
  ['mlpRatio 3', { mlpRatio: 3 }],
  ['learned positions', { positions: 'learned' }],
  ['a timestep table', { timestepEmbedding: 'table', numTimesteps: 50 }],
  ['no variance', { learnSigma: false }],
])('runs with %s, each sample by itself', async (_, change) => {
  const config = { ...TINY, ...change }
  const params = randomParams(config)
  const { xt, timesteps, labels } = randomInputs(config, 2)
  const [, C, H, W] = xt.shape
  const both = forward(config, params, { xt, timesteps, labels })
  expect(both.shape).toEqual([2, config.learnSigma ? 2 * C : C, H, W])
  const values = await both.data()
  expect(values.every(Number.isFinite)).toBe(true)

  const second = tensor((await xt.data()).slice(C * H * W), [1, C, H, W])
  const alone = forward(config, params, { xt: second, timesteps: [timesteps[1]], labels: [labels![1]] })
  const half = values.slice(values.length / 2)
  ;(await alone.data()).forEach((value, i) => expect(value).toBeCloseTo(half[i], 10))
})

/** Exchanges the left and the right half of pictures four pixels wide. */
async function swapColumns(x: Tensor) {
  const values = await x.data()
  return values.map((_, i) => values[i % 4 < 2 ? i + 2 : i - 2])
}

test('moves with its patches: permuting tokens and positions permutes the output', async () => {
  // Attention and everything else treats tokens alike, so swapping two columns of the grid with their positions swaps
  // the columns of the output.
  const config = { ...TINY, inputSize: [2, 4] as const }
  const params = randomParams(config)
  const { xt, timesteps, labels } = randomInputs(config, 1)
  const positions = await params.pos_embed.data()
  const swapped = {
    ...params,
    pos_embed: tensor([...positions.slice(8), ...positions.slice(0, 8)], [1, 2, 8]),
  }
  const out = forward(config, params, { xt, timesteps, labels })
  const other = forward(config, swapped, { xt: tensor(await swapColumns(xt), xt.shape), timesteps, labels })
  const want = await swapColumns(out)
  ;(await other.data()).forEach((value, i) => expect(value).toBeCloseTo(want[i], 10))
})

test('depends on labels and timesteps, also fractional ones', async () => {
  const params = randomParams(TINY)
  const { xt } = randomInputs(TINY, 1)
  const run = (timestep: number, label: number) =>
    forward(TINY, params, { xt, timesteps: [timestep], labels: [label] }).data()
  const out = await run(5, 1)
  expect(await run(5, 1)).toEqual(out)
  for (const [timestep, label] of [
    [5.5, 1],
    [6, 1],
    [5, 2],
    [5, 3],
  ]) {
    expect(await run(timestep, label)).not.toEqual(out)
  }
})

test('shows its intermediates in order, and those kept outlive it', async () => {
  const params = randomParams({ ...TINY, depth: 1 })
  const inputs = randomInputs(TINY, 2)
  const before = backend.memory().buffers
  const seen = new Map<string, Tensor>()
  let numTraced = 0
  const out = forward({ ...TINY, depth: 1 }, params, inputs, {
    trace: (name, value) => {
      numTraced++
      if (name === 'tokens' || name === 'blocks.0' || name === 'blocks.0.adaLN_modulation') keep(value)
      seen.set(name, value)
    },
  })
  expect([...seen].map(([name, { shape }]) => [name, shape])).toEqual([
    ['patch_embed', [2, 4, 8]],
    ['tokens', [2, 4, 8]],
    ['t_freq', [2, 256]],
    ['t_emb', [2, 8]],
    ['y_emb', [2, 8]],
    ['c', [2, 8]],
    ['blocks.0.adaLN_modulation', [2, 48]],
    ['blocks.0.norm1', [2, 4, 8]],
    ['blocks.0.attn.qkv', [2, 4, 24]],
    ['blocks.0.attn', [2, 4, 8]],
    ['blocks.0.norm2', [2, 4, 8]],
    ['blocks.0.mlp', [2, 4, 8]],
    ['blocks.0', [2, 4, 8]],
    ['final_layer.adaLN_modulation', [2, 16]],
    ['final_layer', [2, 4, 16]],
  ])
  expect(numTraced).toBe(seen.size)
  expect(backend.memory().buffers).toBe(before + 4)

  // attention and MLP branches, through their gates, are the difference between the block's output and its input
  const [tokens, block] = await Promise.all([seen.get('tokens')!.data(), seen.get('blocks.0')!.data()])
  expect(block).not.toEqual(tokens)
  const gates = chunk(seen.get('blocks.0.adaLN_modulation')!, 6)
  expect(gates[2].shape).toEqual([2, 8])
  expect(await forward({ ...TINY, depth: 1 }, params, inputs).data()).toEqual(await out.data())
})

test('frees everything but the result', () => {
  const params = randomParams(TINY)
  const inputs = randomInputs(TINY, 2)
  const before = backend.memory().buffers
  for (const recompute of ['none', 'block'] as const) {
    const out = forward(TINY, params, inputs, { recompute })
    expect(backend.memory().buffers).toBe(before + 1)
    out.dispose()
  }
  expect(backend.memory().buffers).toBe(before)
})

const latents = (...shape: number[]) => ({ xt: randomNormal(shape, randomStream(1)) })

test('rejects inputs that do not fit', () => {
  const params = randomParams(TINY)
  const inputs = randomInputs(TINY, 2)
  const run = (change: object) => () => forward(TINY, params, { ...inputs, ...change })
  expect(run(latents(2, 3, 4, 4))).toThrow(new RangeError('forward: xt must be [B, 2, 4, 4] (got [2, 3, 4, 4])'))
  expect(run(latents(2, 4, 4))).toThrow('forward: xt must be [B, 2, 4, 4] (got [2, 4, 4])')
  expect(run(latents(2, 2, 4, 6))).toThrow(
    'forward: xt must be [B, 2, 4, 4] (got [2, 2, 4, 6]); withInputSize fits the weights to another size',
  )
  expect(run({ timesteps: [1] })).toThrow('forward: timesteps must have one entry per sample of xt, 2 (got 1)')
  expect(run({ labels: [1, 2, 3] })).toThrow('forward: labels must have one entry per sample of xt, 2 (got 3)')
  expect(run({ labels: [1, 4] })).toThrow('forward: labels must be integers in 0..3, the null class (labels[1] is 4)')
  expect(run({ labels: [-1, 1] })).toThrow('(labels[0] is -1)')
  expect(run({ timesteps: [1, NaN] })).toThrow('timesteps must be finite (timesteps[1] is NaN)')
})

test('rejects the null class of a model without one, and timesteps beyond a table', () => {
  const config: DiTConfig = { ...TINY, classDropout: 0, timestepEmbedding: 'table', numTimesteps: 10 }
  const params = randomParams(config)
  const { xt } = randomInputs(config, 1)
  expect(() => forward(config, params, { xt, timesteps: [1], labels: [3] })).toThrow(
    new RangeError('forward: labels must be integers in 0..2 (labels[0] is 3)'),
  )
  expect(() => forward(config, params, { xt, timesteps: [10], labels: [0] })).toThrow(
    'timesteps must be integers in 0..9 (timesteps[0] is 10)',
  )
})

test('rejects parameters of another configuration, also after a good call', () => {
  const params = randomParams(TINY)
  const inputs = randomInputs(TINY, 1)
  forward(TINY, params, inputs)
  expect(() => forward({ ...TINY, depth: 1 }, params, inputs)).toThrow('not expected: blocks.1.attn.qkv.weight')
  const { pos_embed: _, ...rest } = params
  expect(() => forward(TINY, rest, inputs)).toThrow('missing: pos_embed [1, 4, 8]')
})

test('rejects inputs on another backend', () => {
  const xt = randomNormal([1, 2, 4, 4], randomStream(1), { backend: reference() })
  expect(() => forward(TINY, randomParams(TINY), { xt, timesteps: [1], labels: [1] })).toThrow(
    new TypeError('forward: xt and the parameters must live on one backend (got reference and reference)'),
  )
})

test('hands out the tokens of a picture after some blocks, beside the same output', async () => {
  const config = { ...TINY, contextTokens: 2, contextStart: 1 }
  const params = randomParams(config)
  const inputs = randomInputs(config, 2)
  const traced = new Map<string, Tensor>()
  const wanted = forward(config, params, inputs, { trace: (name, value) => void traced.set(name, keep(value)) })
  for (const after of [1, 2]) {
    const { output, tokens } = forwardWithTokens(config, params, inputs, { after })
    expect(await output.data()).toEqual(await wanted.data())
    const all = traced.get(`blocks.${after - 1}`)!
    expect(tokens.shape).toEqual([2, 4, 8])
    expect(await tokens.data()).toEqual(await slice(all, 1, all.shape[1] - 4, 4).data())
  }
  expect(() => forwardWithTokens(config, params, inputs, { after: 3 })).toThrow(
    new RangeError('forwardWithTokens: after must be an integer in 1..2 (got 3)'),
  )
})
