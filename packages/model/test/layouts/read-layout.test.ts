import type { StoredArray, StoredSpec, TensorFile } from '@dit/checkpoint'
import { sizeOf, type Shape } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import {
  configForDiffusers,
  configFromDiffusers,
  descriptionMetadata,
  type DiTConfig,
  ditConfig,
  inferConfig,
  LayoutError,
  parameterShapes,
  readLayout,
  toDiffusers,
} from '../../src/index.js'
import { recipesForDiffusers } from '../../src/layouts/diffusers-names.js'
import { specOf } from '../../src/layouts/recipe.js'
import { TINY } from '../tiny.js'

const config: DiTConfig = { ...TINY, mlpRatio: 4 }
const theirs = { ...configForDiffusers(config), norm_eps: 1e-5 }

/** A file of ones with these shapes; it tells what was read. */
function fileOf(shapes: Iterable<readonly [string, Shape]>, read: string[] = []): TensorFile {
  const entries = new Map<string, StoredSpec>([...shapes].map(([name, shape]) => [name, { dtype: 'F32', shape }]))
  const tensor = async (name: string): Promise<StoredArray> => {
    read.push(name)
    const { shape } = entries.get(name)!
    return { dtype: 'F32', shape, data: new Float32Array(sizeOf(shape)).fill(1) }
  }
  return { entries, tensor, float32: async (name) => (await tensor(name)).data as Float32Array }
}

/** As a safetensors file has them. */
const withMetadata = (file: TensorFile, metadata: Record<string, string>): TensorFile =>
  Object.assign(file, { metadata })

const ours = (of = config) => Object.entries(parameterShapes(of))
function diffusersShapes(): (readonly [string, Shape])[] {
  const specs = new Map<string, StoredSpec>(ours().map(([name, shape]) => [name, { dtype: 'F32', shape }]))
  return [...recipesForDiffusers(config)].map(([name, recipe]) => [name, specOf(recipe, specs).shape])
}

describe('official names', () => {
  test.each([
    '',
    'module.',
    '_orig_mod.',
    'module._orig_mod.',
    'model.',
    '_fsdp_wrapped_module.',
    'model.net.',
    'diffusion_model.',
  ])('with %j before each', async (prefix) => {
    const read: string[] = []
    const weights = readLayout(
      fileOf(
        ours().map(([name, shape]) => [prefix + name, shape]),
        read,
      ),
    )
    expect(weights.layout).toBe('reference')
    expect(weights.config).toEqual({ ...config, numHeads: 1 })
    expect([...weights.entries.keys()]).toEqual(ours().map(([name]) => name))
    expect(await weights.float32('pos_embed')).toHaveLength(32)
    expect(read).toEqual([`${prefix}pos_embed`])
  })

  test('within names wrappers leave their marks, too', async () => {
    const read: string[] = []
    const marked = (name: string) =>
      name.replace(/^(blocks\.\d+)\./, '$1._fsdp_wrapped_module._checkpoint_wrapped_module.')
    const weights = readLayout(
      fileOf(
        ours().map(([name, shape]) => [marked(name), shape]),
        read,
      ),
    )
    expect([...weights.entries.keys()]).toEqual(ours().map(([name]) => name))
    await weights.tensor('blocks.0.attn.qkv.bias')
    expect(read).toEqual(['blocks.0._fsdp_wrapped_module._checkpoint_wrapped_module.attn.qkv.bias'])
  })

  test('what stands beside the network of a module is passed over, and its average goes first', async () => {
    const read: string[] = []
    const all = [
      ...ours().map(([name, shape]) => [`model.${name}`, shape] as const),
      ...ours().map(([name, shape]) => [`ema_model.${name}`, shape] as const),
      ['vae.decoder.conv_in.weight', [4, 4]] as const,
      ['logvar', [1000]] as const,
    ]
    const weights = readLayout(fileOf(all, read))
    expect([...weights.entries.keys()]).toEqual(ours().map(([name]) => name))
    await weights.tensor('pos_embed')
    expect(read).toEqual(['ema_model.pos_embed'])
  })

  test('a file that says its configuration, with heads and all', () => {
    const table: DiTConfig = {
      ...config,
      timestepEmbedding: 'table',
      numTimesteps: 7,
      classDropout: 0,
      positions: 'learned',
    }
    const file = withMetadata(fileOf(ours(table)), descriptionMetadata({ network: table }))
    expect(readLayout(file)).toMatchObject({ config: table, assumptions: [] })
    expect(() => readLayout(withMetadata(file, { 'dit.config': '{' }))).toThrow('the metadata dit.config must be JSON')
    expect(() => readLayout(withMetadata(file, { 'dit.config': '{}' }))).toThrow('DiTConfig: patchSize must be')
    expect(() => readLayout(withMetadata(file, { 'dit.config': '1' }))).toThrow('must be a configuration')
  })

  test('hints tell heads, and whether there is a null class', () => {
    expect(readLayout(fileOf(ours()), { hints: { numHeads: 4, numClasses: 4 } })).toMatchObject({
      config: { numHeads: 4, numClasses: 4, classDropout: 0 },
      assumptions: ['a fixed position table', 'a square input'],
    })
  })

  test('named models are known by their size', () => {
    const model = ditConfig('DiT-XL/2')
    expect(inferConfig(new Map(Object.entries(parameterShapes(model))))).toMatchObject({
      config: model,
      assumptions: [
        '16 attention heads, as in the named model of this size',
        '1000 classes and a null class',
        'a fixed position table',
        'a square input',
      ],
    })
  })
})

describe("diffusers' names", () => {
  test('are put together: attention stacked, embedders compared over all blocks, positions computed', async () => {
    const read: string[] = []
    const weights = readLayout(fileOf(diffusersShapes(), read), { diffusersConfig: theirs })
    expect(weights).toMatchObject({
      layout: 'diffusers',
      config: { ...config, timestepFrequencyShift: 1, mlpNormEpsilon: 1e-5 },
    })
    expect(Object.fromEntries([...weights.entries].map(([name, { shape }]) => [name, shape]))).toEqual(
      Object.fromEntries(ours()),
    )
    expect((await weights.tensor('blocks.1.attn.qkv.bias')).shape).toEqual([24])
    expect(read).toEqual(['q', 'k', 'v'].map((part) => `transformer_blocks.1.attn1.to_${part}.bias`))
    read.length = 0
    await weights.tensor('y_embedder.embedding_table.weight')
    expect(read).toEqual([0, 1].map((i) => `transformer_blocks.${i}.norm1.emb.class_embedder.embedding_table.weight`))
    expect((await weights.float32('pos_embed')).slice(0, 8)).toEqual(Float32Array.of(0, 0, 1, 1, 0, 0, 1, 1))
    await expect(weights.tensor('norm')).rejects.toThrow('weights: there is no parameter "norm"')
  })

  test('without config.json the shapes tell what they can', () => {
    const weights = readLayout(fileOf(diffusersShapes()))
    expect(weights.config).toEqual({
      ...config,
      inputSize: 32,
      numHeads: 1,
      timestepFrequencyShift: 1,
      mlpNormEpsilon: 1e-5,
    })
    expect(weights.assumptions).toContain('an input of 32 x 32')
  })

  test('embedders that differ between blocks are no DiT', async () => {
    const file = fileOf(diffusersShapes())
    const odd = 'transformer_blocks.1.norm1.emb.timestep_embedder.linear_2.bias'
    const tensor = async (name: string): Promise<StoredArray> =>
      name === odd ? { dtype: 'F32', shape: [8], data: new Float32Array(8) } : file.tensor(name)
    const weights = readLayout({ ...file, tensor }, { diffusersConfig: theirs })
    await expect(weights.tensor('t_embedder.mlp.2.bias')).rejects.toThrow(
      `weights: ${odd} must be a copy of transformer_blocks.0.norm1.emb.timestep_embedder.linear_2.bias: the model has one embedder for all blocks`,
    )
  })

  test.each<[Record<string, unknown>, string]>([
    [{ norm_type: 'ada_norm' }, 'norm_type must be ada_norm_zero (got "ada_norm")'],
    [{ activation_fn: 'gelu' }, 'activation_fn must be gelu-approximate (got "gelu")'],
    [{ attention_bias: false }, 'attention_bias must be true (got false)'],
    [{ norm_elementwise_affine: true }, 'norm_elementwise_affine must be false'],
    [{ out_channels: 3 }, 'out_channels must be in_channels or twice as many (got 3)'],
    [{ num_layers: '2' }, 'num_layers must be a number (got "2")'],
    [{ num_layers: -1 }, 'DiTConfig: depth must be a positive integer (got -1)'],
    [{ sample_size: [4, 4] }, 'sample_size must be a number (got [4,4])'],
  ])('a config.json with %j is refused', (change, message) => {
    expect(() => configFromDiffusers({ ...theirs, ...change })).toThrow(message)
    expect(() => configFromDiffusers(null)).toThrow('config.json: must be a JSON object')
  })

  test.each<[Partial<DiTConfig>, string]>([
    [{ inputSize: [4, 6] }, 'inputSize must be square'],
    [{ mlpRatio: 2 }, 'mlpRatio must be 4'],
    [{ classDropout: 0 }, 'classDropout must be above 0'],
    [{ positions: 'learned' }, 'positions must be sincos'],
    [{ timestepEmbedding: 'table' }, 'timestepEmbedding must be sinusoidal'],
  ])('%j cannot be written', (change, message) => {
    expect(() => configForDiffusers({ ...config, ...change })).toThrow(`configForDiffusers: ${message}`)
  })

  test('another position table cannot be written', async () => {
    await expect(toDiffusers(readLayout(fileOf(ours())))).rejects.toThrow(
      'toDiffusers: pos_embed must be the sine-cosine table',
    )
  })
})

describe('what does not fit is listed in one error', () => {
  const changed = (shapes: readonly (readonly [string, Shape])[], from: string, to: string): [string, Shape][] =>
    shapes.map(([name, shape]) => [
      name === from ? to : name,
      name === 'x_embedder.proj.bias' || name === 'pos_embed.proj.bias' ? [9] : shape,
    ])

  test.each([
    [
      'official',
      changed(ours(), 'blocks.1.mlp.fc2.bias', 'blocks.1.mlp.fc3.bias'),
      'blocks.1.mlp.fc2.bias [8]',
      'x_embedder.proj.bias',
      'blocks.1.mlp.fc3.bias',
    ],
    [
      'diffusers',
      changed(diffusersShapes(), 'proj_out_1.bias', 'proj_out_3.bias'),
      'proj_out_1.bias [16]',
      'pos_embed.proj.bias',
      'proj_out_3.bias',
    ],
  ])('%s', (_, shapes, missing, misshaped, unexpected) => {
    let error: unknown
    try {
      readLayout(fileOf(shapes))
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(LayoutError)
    expect(error).toMatchObject({
      missing: [missing],
      misshaped: [`${misshaped} [9] instead of [8]`],
      unexpected: [unexpected],
    })
    expect(String(error)).toBe(
      `LayoutError: weights: they must be those of a DiT of depth 2, width 8 and patch 2 (missing: ${missing}; of another shape: ${misshaped} [9] instead of [8]; not expected: ${unexpected})`,
    )
  })

  test('names of something else', () => {
    expect(() => readLayout(fileOf([['conv.weight', [1]]]))).toThrow(
      'must be those of a DiT, official or diffusers\' (the first of 1 is "conv.weight")',
    )
    expect(() => readLayout(fileOf([]))).toThrow('(it has none)')
    expect(() => readLayout(fileOf([['x_embedder.proj.weight', [8, 2, 2, 2]]]))).toThrow(
      'missing: pos_embed, y_embedder.embedding_table.weight',
    )
    expect(() => readLayout(fileOf([['pos_embed.proj.weight', [8, 2, 2, 2]]]))).toThrow(
      'missing: transformer_blocks.0, proj_out_2.weight',
    )
  })

  test('a number in a file cannot ask for endless names or a huge table', () => {
    const far = [...ours(), ['blocks.999999.mlp.fc1.weight', [32, 8]] as const]
    expect(() => readLayout(fileOf(far))).toThrow('not expected: blocks.999999.mlp.fc1.weight')
    const deep = { ...theirs, num_layers: 1e9 }
    expect(() => readLayout(fileOf(diffusersShapes()), { diffusersConfig: deep })).toThrow(
      'depth must be at most the number of tensors',
    )
    const wide = { ...theirs, sample_size: 2 ** 20 }
    expect(() => readLayout(fileOf(diffusersShapes()), { diffusersConfig: wide })).toThrow(
      'inputSize must give at most 1048576 tokens',
    )
    const file = withMetadata(fileOf(ours()), descriptionMetadata({ network: { ...config, depth: 1e9 } }))
    expect(() => readLayout(file)).toThrow('depth must be at most the number of tensors')
  })
})

test.each([
  [{ _class_name: 'Transformer2DModel' }, []],
  [{ _class_name: 'Transformer2DModel', interpolation_scale: 2 }, [expect.stringContaining('divides them by 2')]],
  [{ _class_name: 'DiTTransformer2DModel', interpolation_scale: 2 }, []],
])('the older class of diffusers with %j is told apart where it computes other positions', (fields, assumptions) => {
  const weights = readLayout(fileOf(diffusersShapes()), { diffusersConfig: { ...theirs, ...fields } })
  expect(weights.assumptions).toEqual(assumptions)
})
