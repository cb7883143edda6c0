import { type DiTConfig, ditConfig, forward } from '@dit/model'
import { denoiserGraph } from '@dit/onnx'
import { add, concat, randomNormal, randomStream, reference, slice, sub, affine, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'
import { expectSame, type Feeds, movedParams, run } from './runtime.js'

await useBackend(reference())

const config = ditConfig('DiT-S/2', { inputSize: 8, depth: 2, hiddenSize: 24, numHeads: 3, numClasses: 5 })

const draw = (label: string, shape: readonly number[]) => randomNormal(shape, randomStream(3, label))
const labelsOf = (labels: readonly number[]) => BigInt64Array.from(labels.map(BigInt))

async function feeds(of: DiTConfig, timesteps: readonly number[], labels: readonly number[]): Promise<Feeds> {
  const [height, width] = typeof of.inputSize === 'number' ? [of.inputSize, of.inputSize] : of.inputSize
  const shape = [labels.length, of.inChannels, height, width]
  const times = of.timestepEmbedding === 'table' ? labelsOf(timesteps) : Float32Array.from(timesteps)
  return {
    xt: [shape, Float32Array.from(await draw('xt', shape).data())],
    timesteps: [[labels.length], times],
    labels: [[labels.length], labelsOf(labels)],
  }
}

test.each([
  ['as published', {}],
  ['as diffusers has it', { timestepFrequencyShift: 1, mlpNormEpsilon: 1e-3 }],
  ['rectangular, with learned positions', { inputSize: [4, 8] as const, positions: 'learned' }],
  [
    'with a timestep table and no variance channels',
    { timestepEmbedding: 'table', numTimesteps: 40, learnSigma: false },
  ],
  ['of odd sizes', { patchSize: 3, inputSize: 9, inChannels: 2, hiddenSize: 20, numHeads: 5, mlpRatio: 1.7 }],
] as const)('a model %s gives the same output in ONNX Runtime, for any batch', async (_, changes) => {
  const of = ditConfig('DiT-S/2', { ...config, ...changes })
  const weights = movedParams(of)
  const graph = denoiserGraph(of)
  for (const [timesteps, labels] of [
    [[7], [2]],
    [
      [39, 0, 13],
      [4, 0, 5],
    ],
  ]) {
    const given = await feeds(of, timesteps, labels)
    const xt = draw('xt', given['xt'][0])
    await expectSame(await run(graph, weights, given), forward(of, weights, { xt, timesteps, labels }))
  }
})

test('timesteps up to 999 and fractions', async () => {
  const weights = movedParams(config)
  const [timesteps, labels] = [
    [999, 500.25],
    [1, 3],
  ]
  const given = await feeds(config, timesteps, labels)
  const xt = draw('xt', given['xt'][0])
  await expectSame(
    await run(denoiserGraph(config), weights, given),
    forward(config, weights, { xt, timesteps, labels }),
  )
})

test.each([
  ['three channels', {}, 3],
  ['all channels', { channels: 'all' as const }, 4],
  ['another null label', { nullLabel: 2, channels: 1 }, 1],
])('guidance of %s is inside', async (_, guidance, channels) => {
  const weights = movedParams(config)
  const [timesteps, labels] = [
    [30, 7],
    [1, 3],
  ]
  const given = await feeds(config, timesteps, labels)
  const scale: Feeds = { guidance_scale: [[], Float32Array.of(2.5)] }
  const got = await run(denoiserGraph(config, { guidance }), weights, { ...given, ...scale })

  const xt = draw('xt', given['xt'][0])
  const none = 'nullLabel' in guidance ? guidance.nullLabel : 5
  const conditional = forward(config, weights, { xt, timesteps, labels })
  const unconditional = forward(config, weights, { xt, timesteps, labels: [none, none] })
  const [towards, from] = [conditional, unconditional].map((x) => slice(x, 1, 0, channels))
  const guided = add(from, affine(sub(towards, from), 2.5))
  await expectSame(got, concat([guided, slice(conditional, 1, channels, 8 - channels)], 1))
})

test('a label that the model does not have is an error, and -1 is not the null class', async () => {
  const weights = movedParams(config)
  for (const label of [-1, -6, 6, 1000]) {
    const given = await feeds(config, [30, 30], [1, label])
    await expect(run(denoiserGraph(config), weights, given)).rejects.toThrow(/indices element out of data bounds/)
  }
  const table = ditConfig('DiT-S/2', { ...config, timestepEmbedding: 'table', numTimesteps: 40 })
  for (const timestep of [-1, 40]) {
    const given = await feeds(table, [3, timestep], [1, 1])
    await expect(run(denoiserGraph(table), movedParams(table), given)).rejects.toThrow(
      /indices element out of data bounds/,
    )
  }
})

test('an engine that does not check what it gathers gives NaN for a wrong label, and nothing else for the others', async () => {
  const weights = movedParams(config)
  const graph = denoiserGraph(config)
  // As such engines do: every index is moved into the table.
  const nodes = graph.nodes.flatMap((node) => {
    if (node.op !== 'Gather') return [node]
    const [rows, index] = node.inputs
    const clipped = { op: 'Clip', inputs: [index, 'first', 'last'], outputs: ['clipped'], attributes: {} }
    return [clipped, { ...node, inputs: [rows, 'clipped'] }]
  })
  const scalar = (name: string, value: number) => ({ name, type: 'int64' as const, shape: [], values: [value] })
  const lenient = { ...graph, nodes, constants: [...graph.constants, scalar('first', 0), scalar('last', 5)] }
  const given = await feeds(config, [30, 30, 30], [-1, 2, 6])
  const wrong = (await run(lenient, weights, given)).data as Float32Array
  const right = (await run(graph, weights, { ...given, labels: [[3], labelsOf([5, 2, 5])] })).data as Float32Array
  const size = wrong.length / 3
  expect(wrong.slice(0, size).every(Number.isNaN)).toBe(true)
  expect(wrong.slice(size, 2 * size)).toEqual(right.slice(size, 2 * size))
  expect(wrong.slice(2 * size).every(Number.isNaN)).toBe(true)
})

test('errors', () => {
  expect(() => denoiserGraph({ ...config, classDropout: 0 }, { guidance: {} })).toThrow(
    new RangeError('denoiserGraph: guidance needs a null class (classDropout is 0)'),
  )
  expect(() => denoiserGraph(config, { guidance: { channels: 5 } })).toThrow(
    new RangeError('denoiserGraph: channels must be an integer in 1..4 (got 5)'),
  )
})
