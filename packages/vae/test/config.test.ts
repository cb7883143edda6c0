import { checkVaeConfig, countVaeParameters, spatialFactor, STABLE_DIFFUSION_VAE, vaeConfig } from '@dit/vae'
import { expect, test } from 'vitest'

const stableDiffusion = {
  _class_name: 'AutoencoderKL',
  act_fn: 'silu',
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array.from({ length: 4 }, () => 'DownEncoderBlock2D'),
  up_block_types: Array.from({ length: 4 }, () => 'UpDecoderBlock2D'),
  in_channels: 3,
  out_channels: 3,
  latent_channels: 4,
  layers_per_block: 2,
  norm_num_groups: 32,
  sample_size: 256,
}

test('the published file has no factor: 0.18215 is its default', () => {
  expect(vaeConfig(stableDiffusion)).toEqual(STABLE_DIFFUSION_VAE)
})

test('the autoencoder of Stable Diffusion has 83,653,863 parameters', () => {
  expect(countVaeParameters(STABLE_DIFFUSION_VAE)).toBe(83_653_863)
  expect(spatialFactor(STABLE_DIFFUSION_VAE)).toBe(8)
})

test('fields override the defaults', () => {
  const config = vaeConfig({
    ...stableDiffusion,
    scaling_factor: 0.3611,
    shift_factor: 0.1159,
    use_quant_conv: false,
    sample_size: [64, 64],
  })
  expect(config).toMatchObject({ scalingFactor: 0.3611, shiftFactor: 0.1159, useQuantConv: false, sampleSize: 64 })
})

test.each([
  [{ act_fn: 'mish' }, 'vaeConfig: act_fn must be silu (got "mish")'],
  [{ _class_name: 'VQModel' }, 'vaeConfig: _class_name must be AutoencoderKL (got "VQModel")'],
  [{ latents_mean: [0, 0, 0, 0] }, 'VaeConfig: latentsStd must be 4 numbers, one a channel, above 0 (got [])'],
  [{ latents_mean: [0], latents_std: [1] }, 'VaeConfig: latentsMean must be 4 numbers, one a channel (got [0])'],
  [
    { latents_mean: [0, 0, 0, 0], latents_std: [1, 0, 1, 1] },
    'VaeConfig: latentsStd must be 4 numbers, one a channel, above 0 (got [1,0,1,1])',
  ],
  [
    { latents_mean: [0, 0, 0, 0], latents_std: [1, 1, 1, 1], shift_factor: 1 },
    'VaeConfig: shiftFactor must be 0 beside latentsMean (got 1)',
  ],
  [
    { down_block_types: ['AttnDownEncoderBlock2D'] },
    'vaeConfig: down_block_types must be DownEncoderBlock2D for each of the 4 levels (got ["AttnDownEncoderBlock2D"])',
  ],
  [{ layers_per_block: 0 }, 'VaeConfig: layersPerBlock must be a positive integer (got 0)'],
  [
    { norm_num_groups: 48 },
    'VaeConfig: blockOutChannels must be multiples of normNumGroups 48 (got [128,256,512,512])',
  ],
  [{ scaling_factor: 0 }, 'VaeConfig: scalingFactor must be a positive number (got 0)'],
])('refuses %o', (change, message) => {
  expect(() => vaeConfig({ ...stableDiffusion, ...change })).toThrow(new RangeError(message))
})

test.each([
  [{ layers_per_block: '2' }, 'vaeConfig: layers_per_block must be a number (got "2")'],
  [{ block_out_channels: 4 }, 'vaeConfig: block_out_channels must be a list of numbers (got 4)'],
  [{ use_quant_conv: 1 }, 'vaeConfig: use_quant_conv must be true or false (got 1)'],
])('refuses the kind of %o', (change, message) => {
  expect(() => vaeConfig({ ...stableDiffusion, ...change })).toThrow(new TypeError(message))
})

test('refuses what is no object, and a shift that is no number', () => {
  expect(() => vaeConfig([1])).toThrow(new TypeError('vaeConfig: the configuration must be an object (got [1])'))
  expect(() => checkVaeConfig({ ...STABLE_DIFFUSION_VAE, shiftFactor: NaN })).toThrow(/shiftFactor must be finite/)
})
