import { reference, type Shape, sizeOf, toFloat32Array } from '@dit/tensor'
import { initVaeParams, loadVaeParams, vaeNames, vaeParameterShapes } from '@dit/vae'
import { describe, expect, test } from 'vitest'
import { asSource, openCase } from './fixtures.js'

const backend = reference()
const { config, weights } = await openCase('levels', backend)
const levels = config.blockOutChannels.length

/** Our parameters as a file with other names. */
async function stored(rename: (name: string) => string, reshape = (_: string, shape: Shape) => shape) {
  const arrays: Record<string, { shape: Shape; data: Float32Array }> = {}
  for (const [name, { shape }] of weights.entries) {
    arrays[rename(name)] = { shape: reshape(name, shape), data: await weights.float32(name) }
  }
  return arrays
}

const early = (name: string) =>
  name
    .replace('.to_q.', '.query.')
    .replace('.to_k.', '.key.')
    .replace('.to_v.', '.value.')
    .replace('.to_out.0.', '.proj_attn.')

// Written from the names of a CompVis checkpoint, the other way round than the package has them.
const compVis = (name: string) =>
  name
    .replace(/down_blocks\.(\d+)\.resnets\.(\d+)/, 'down.$1.block.$2')
    .replace(/down_blocks\.(\d+)\.downsamplers\.0/, 'down.$1.downsample')
    .replace(/up_blocks\.(\d+)\.resnets\.(\d+)/, (_, i: string, j: string) => `up.${levels - 1 - Number(i)}.block.${j}`)
    .replace(/up_blocks\.(\d+)\.upsamplers\.0/, (_, i: string) => `up.${levels - 1 - Number(i)}.upsample`)
    .replace(/mid_block\.resnets\.(\d)/, (_, i: string) => `mid.block_${Number(i) + 1}`)
    .replace('mid_block.attentions.0.group_norm', 'mid.attn_1.norm')
    .replace('mid_block.attentions.0.to_out.0', 'mid.attn_1.proj_out')
    .replace(/mid_block\.attentions\.0\.to_([qkv])/, 'mid.attn_1.$1')
    .replace('conv_shortcut', 'nin_shortcut')
    .replace('conv_norm_out', 'norm_out')

const asConvolution = (name: string, shape: Shape) =>
  /to_(q|k|v|out\.0)\.weight$/.test(name) ? [...shape, 1, 1] : shape

describe.each([
  ['of diffusers', () => stored((name) => name)],
  ['of early diffusers', () => stored(early)],
  ['of CompVis, with convolutions in the attention', () => stored(compVis, asConvolution)],
  [
    'inside a whole checkpoint of CompVis',
    async () => ({
      ...(await stored((name) => `first_stage_model.${compVis(name)}`, asConvolution)),
      'first_stage_model.loss.logvar': { shape: [], data: new Float32Array(1) },
      'model.diffusion_model.time_embed.0.weight': { shape: [4, 4], data: new Float32Array(16) },
    }),
  ],
])('names %s', (_, make) => {
  test('load to the same parameters', async () => {
    const params = await loadVaeParams(config, asSource(await make()), { backend })
    expect(Object.keys(params)).toEqual(Object.keys(vaeParameterShapes(config)))
    for (const [name, param] of Object.entries(params)) {
      expect(await toFloat32Array(param), `values of ${name}`).toEqual(await weights.float32(name))
    }
  })
})

test('the first level of the CompVis decoder is the last of ours', () => {
  const names = vaeNames(['decoder.up.0.block.2.conv1.weight', 'decoder.up.3.upsample.conv.bias'], 4)
  expect([...names.values()]).toEqual([
    'decoder.up_blocks.3.resnets.2.conv1.weight',
    'decoder.up_blocks.0.upsamplers.0.conv.bias',
  ])
})

test('one error lists everything that is missing, mis-shaped or too much, and reads nothing', async () => {
  const arrays = await stored((name) => name)
  delete arrays['encoder.conv_in.bias']
  arrays['quant_conv.weight'].shape = [8, 8]
  arrays['decoder.extra'] = { shape: [3], data: new Float32Array(3) }
  const source = { ...asSource(arrays), float32: () => Promise.reject(new Error('was read')) }
  await expect(loadVaeParams(config, source, { backend })).rejects.toThrow(
    new RangeError(
      'loadVaeParams: the parameters must be those of the configuration (missing: encoder.conv_in.bias [4]; of another shape: quant_conv.weight [8, 8] instead of [8, 8, 1, 1]; not expected: decoder.extra)',
    ),
  )
})

test('refuses two names for one parameter', async () => {
  const arrays = await stored((name) => name)
  const name = 'encoder.mid_block.attentions.0.to_q.bias'
  arrays[early(name)] = arrays[name]
  await expect(loadVaeParams(config, asSource(arrays), { backend })).rejects.toThrow(
    `loadVaeParams: there must be one ${name} (got ${name} and ${early(name)})`,
  )
})

test('a file that breaks off leaves nothing behind', async () => {
  const arrays = await stored((name) => name)
  const before = backend.memory().buffers
  let reads = 0
  const source = {
    ...asSource(arrays),
    float32: (name: string) =>
      ++reads > 5 ? Promise.reject(new Error('disk')) : Promise.resolve(new Float32Array(sizeOf(arrays[name].shape))),
  }
  await expect(loadVaeParams(config, source, { backend })).rejects.toThrow('disk')
  expect(backend.memory().buffers).toBe(before)
})

test('fresh parameters have the shapes of the configuration, and do not depend on each other', async () => {
  const [small, same] = [0, 0].map((seed) => initVaeParams(config, { seed, backend }))
  for (const [name, shape] of Object.entries(vaeParameterShapes(config))) expect(small[name].shape).toEqual(shape)
  expect(await small['decoder.conv_out.weight'].data()).toEqual(await same['decoder.conv_out.weight'].data())
  expect(await small['encoder.conv_norm_out.weight'].data()).toEqual(new Float64Array(12).fill(1))
  const values = await small['encoder.conv_in.weight'].data()
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(27 ** -0.5)
})
