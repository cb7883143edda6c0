import type { TensorFile } from '@dit/checkpoint'
import { type Params, reference, scope, tensor, toFloat32Array, useBackend } from '@dit/tensor'
import { sincosPositions } from '@dit/tokenizer'
import { describe, expect, test } from 'vitest'
import {
  adaptWeights,
  descriptionMetadata,
  type DiTConfig,
  forward,
  loadParams,
  outChannels,
  parameterShapes,
  readLayout,
  withInputSize,
} from '../../src/index.js'
import { randomInputs, randomParams, TINY, TOLD } from '../tiny.js'

const backend = await useBackend(reference())
const LABELS = 'y_embedder.embedding_table.weight'

/** Parameters as a file of weights. */
async function fileOf(params: Params): Promise<TensorFile> {
  const values = new Map<string, Float32Array>()
  for (const [name, each] of Object.entries(params)) values.set(name, await toFloat32Array(each))
  const float32 = async (name: string) => values.get(name)!.slice()
  const spec = (name: string) => ({ dtype: 'F32' as const, shape: params[name].shape })
  return {
    entries: new Map([...values.keys()].map((name) => [name, spec(name)])),
    float32,
    tensor: async (name) => ({ ...spec(name), data: await float32(name) }),
  }
}

const params = randomParams(TINY)
const source = await fileOf(params)
const rowOf = (table: Float32Array, row: number) => Array.from(table.subarray(row * 8, row * 8 + 8))
const last = (table: Float32Array) => rowOf(table, table.length / 8 - 1)

describe('classes', () => {
  test('take the rows they are told, new ones the mean, and the null row stays', async () => {
    const to: DiTConfig = { ...TINY, numClasses: 4 }
    const { weights, replaced } = adaptWeights(source, TINY, to, { classes: [2, null, 0, null] })
    const [old, rows] = [await source.float32(LABELS), await weights.float32(LABELS)]
    expect(weights.entries.get(LABELS)!.shape).toEqual([5, 8])
    expect(rowOf(rows, 0)).toEqual(rowOf(old, 2))
    expect(rowOf(rows, 2)).toEqual(rowOf(old, 0))
    expect(last(rows)).toEqual(rowOf(old, 3))
    const mean = Array.from({ length: 8 }, (_, i) => Math.fround((old[i] + old[8 + i] + old[16 + i]) / 3))
    expect(rowOf(rows, 1)).toEqual(mean)
    expect(rowOf(rows, 3)).toEqual(mean)
    expect(replaced).toEqual([LABELS])
    expect([...weights.entries.keys()]).toEqual(Object.keys(parameterShapes(to)))
    expect(await weights.float32('blocks.1.mlp.fc1.bias')).toEqual(await source.float32('blocks.1.mlp.fc1.bias'))
  })

  test('as normal draws have deviation 0.02, differ from each other, and are those of the seed', async () => {
    const wide: DiTConfig = { ...TINY, numClasses: 300 }
    const classes = Array.from({ length: 300 }, () => null)
    const rowsOf = async (seed: number) =>
      adaptWeights(source, TINY, wide, { classes, newRows: 'normal', seed }).weights.float32(LABELS)
    const rows = (await rowsOf(1)).subarray(0, 2400)
    const deviation = Math.sqrt(rows.reduce((sum, x) => sum + x * x, 0) / 2400)
    // The deviation of 2,400 draws is within 1.5 % with 68 %.
    expect(deviation / 0.02).toBeCloseTo(1, 1)
    expect(rowOf(rows, 0)).not.toEqual(rowOf(rows, 1))
    expect(await rowsOf(1)).toEqual(await rowsOf(1))
    expect(await rowsOf(2)).not.toEqual(await rowsOf(1))
  })

  test('a null class that comes is the mean, one that goes takes its row along', async () => {
    const bare: DiTConfig = { ...TINY, classDropout: 0 }
    const { weights } = adaptWeights(source, TINY, bare)
    expect(weights.entries.get(LABELS)!.shape).toEqual([3, 8])
    const back = adaptWeights(weights, bare, TINY)
    const old = await source.float32(LABELS)
    const mean = Array.from({ length: 8 }, (_, i) => Math.fround((old[i] + old[8 + i] + old[16 + i]) / 3))
    expect(last(await back.weights.float32(LABELS))).toEqual(mean)
  })

  test('that are the same change nothing', () => {
    expect(adaptWeights(source, TINY, TINY).replaced).toEqual([])
    expect(adaptWeights(source, TINY, TINY, { classes: [0, 1, 2] }).replaced).toEqual([])
  })

  test.each([
    [{ numClasses: 4 }, undefined, 'classes must say which of the 3 label rows each of the 4 classes takes'],
    [{ numClasses: 4 }, [0, 1], 'classes must have 4 entries (got 2)'],
    [{}, [0, 1, 3], 'classes must be null or 0..2 (got 3)'],
  ])('%j as %j is refused', (changes, classes, message) => {
    expect(() => adaptWeights(source, TINY, { ...TINY, ...changes }, classes === undefined ? {} : { classes })).toThrow(
      `adaptWeights: ${message}`,
    )
  })
})

describe('another size', () => {
  test.each(['scaled', 'extended', 'bicubic', 'bilinear'] as const)(
    'has the %s positions of withInputSize',
    async (positions) => {
      const to: DiTConfig = { ...TINY, inputSize: 8 }
      const { weights, replaced } = adaptWeights(source, TINY, to, { positions })
      const { pos_embed: wanted } = withInputSize(TINY, params, 8, { positions }).params
      expect(replaced).toEqual(['pos_embed'])
      expect(await weights.float32('pos_embed')).toEqual(Float32Array.from(await wanted.data()))
    },
  )

  test('is scaled by default: the corners stand where they stood', async () => {
    const { weights } = adaptWeights(source, TINY, { ...TINY, inputSize: 8 })
    const fresh = sincosPositions(8, [4, 4])
    expect(await weights.float32('pos_embed')).not.toEqual(fresh)
    const resized = await loadParams(weights, { backend })
    const inputs = randomInputs({ ...TINY, inputSize: 8 }, 2)
    expect(forward({ ...TINY, inputSize: 8 }, resized, inputs).shape).toEqual([2, 4, 8, 8])
  })

  test('must be a multiple of the patch', () => {
    expect(() => adaptWeights(source, TINY, { ...TINY, inputSize: 5 })).toThrow('multiples of patchSize 2')
  })
})

describe('the final layer', () => {
  /** Channels of a forward pass, `[C, ...]` of one picture. */
  const outputs = async (config: DiTConfig, file: TensorFile) => {
    const loaded = await loadParams(file, { backend })
    return scope(() => forward(config, loaded, randomInputs(config, 1))).data()
  }

  test('predicts the same without its rows for the variance, and with new ones that say 0', async () => {
    const plain: DiTConfig = { ...TINY, learnSigma: false }
    const { weights, replaced } = adaptWeights(source, TINY, plain)
    expect(replaced).toEqual(['final_layer.linear.weight', 'final_layer.linear.bias'])
    const [before, after] = [await outputs(TINY, source), await outputs(plain, weights)]
    const half = after.length
    expect(after).toEqual(before.slice(0, half))
    expect(outChannels(plain) * 2).toBe(outChannels(TINY))
    const again = await outputs(TINY, adaptWeights(weights, plain, TINY).weights)
    expect(again.slice(0, half)).toEqual(after)
    expect(new Set(again.slice(half))).toEqual(new Set([0]))
  })

  test('begins as zeros where it is reset', async () => {
    const { weights, replaced } = adaptWeights(source, TINY, TINY, { resetOutput: true })
    expect(replaced).toHaveLength(4)
    expect(new Set(await outputs(TINY, weights))).toEqual(new Set([0]))
  })
})

test.each([
  ['patchSize', 4, '2'],
  ['hiddenSize', 16, '8'],
  ['depth', 3, '2'],
  ['numHeads', 4, '2'],
  ['mlpRatio', 4, '2'],
  ['inChannels', 3, '2'],
  ['positions', 'learned', 'sincos'],
  ['timestepEmbedding', 'table', 'sinusoidal'],
  ['timestepFrequencyShift', 1, '0'],
  ['mlpNormEpsilon', 1e-5, '0.000001'],
] as const)('%s cannot become %s', (name, value, was) => {
  expect(() => adaptWeights(source, TINY, { ...TINY, [name]: value })).toThrow(
    `adaptWeights: ${name} must stay ${was}, as the weights have it (got ${String(value)})`,
  )
})

test('conditions stay, and what embeds them with them; the file says what they are', async () => {
  const told = randomParams(TOLD)
  const file = { ...(await fileOf(told)), metadata: descriptionMetadata({ network: TOLD }) }
  const { config, ...weights } = readLayout(file)
  expect(config).toEqual(TOLD)
  const adapted = adaptWeights(weights, config, { ...TOLD, learnSigma: false })
  expect(adapted.replaced).toEqual(['final_layer.linear.weight', 'final_layer.linear.bias'])
  const name = 'y_embedder.caption.null'
  expect(await adapted.weights.float32(name)).toEqual(await file.float32(name))
  expect(() => adaptWeights(weights, config, { ...TOLD, conditions: [] })).toThrow(
    `adaptWeights: conditions must stay ${JSON.stringify(TOLD.conditions)}, as the weights have it (got [])`,
  )
})

test('learned positions are resampled', async () => {
  const learned: DiTConfig = { ...TINY, positions: 'learned' }
  const { weights } = adaptWeights(source, learned, { ...learned, inputSize: 8 })
  const table = tensor(await source.float32('pos_embed'), [1, 4, 8], { backend })
  const { pos_embed: wanted } = withInputSize(learned, { ...params, pos_embed: table }, 8).params
  expect(await weights.float32('pos_embed')).toEqual(Float32Array.from(await wanted.data()))
})
