import { reference, tensor, toFloat32Array, zeros } from '@dit/tensor'
import {
  decode,
  decodeTiled,
  encode,
  encodeTiled,
  initVaeParams,
  samplePosterior,
  scaleLatents,
  STABLE_DIFFUSION_VAE,
  unscaleLatents,
  type VaeConfig,
} from '@dit/vae'
import { expect, test } from 'vitest'

const backend = reference()
const config: VaeConfig = {
  ...STABLE_DIFFUSION_VAE,
  blockOutChannels: [2, 2],
  layersPerBlock: 1,
  normNumGroups: 1,
  sampleSize: 8,
}
const params = initVaeParams(config, { backend })

test('scaling by hand, and back', async () => {
  const shifted = { ...config, scalingFactor: 0.5, shiftFactor: 3 }
  const z = tensor([3, 5, -1], [3], { backend })
  const latents = scaleLatents(shifted, z)
  expect([...(await latents.data())]).toEqual([0, 1, -2])
  expect([...(await unscaleLatents(shifted, latents).data())]).toEqual([3, 5, -1])
})

test('a draw is the mean where the noise is 0, and a deviation away where it is 1', async () => {
  const posterior = {
    mean: tensor([1, 1], [1, 1, 1, 2], { backend }),
    logVariance: tensor([2 * Math.log(3), 0], [1, 1, 1, 2], { backend }),
  }
  const at = async (noise: readonly number[]) => [
    ...(await samplePosterior(posterior, tensor(noise, [1, 1, 1, 2], { backend })).data()),
  ]
  expect(await at([0, 0])).toEqual([1, 1])
  expect(await at([1, -1])).toEqual([expect.closeTo(4, 12), 0])
})

test('log variances are clamped to -30 .. 20', async () => {
  const name = 'quant_conv.bias'
  const wild = { ...params, [name]: tensor([0, 0, 0, 0, -1e6, 1e6, 0, 0], [8], { backend }) }
  const { logVariance } = encode(config, wild, zeros([1, 3, 2, 2], { backend }))
  expect([...(await logVariance.data())].slice(0, 2)).toEqual([-30, 20])
})

test('errors', () => {
  const image = (...shape: number[]) => zeros(shape, { backend })
  expect(() => encode(config, params, image(1, 3, 8, 7))).toThrow(
    new RangeError('encode: images must be [B, 3, H, W] with H and W multiples of 2 (got [1, 3, 8, 7])'),
  )
  expect(() => encodeTiled(config, params, image(1, 4, 8, 8))).toThrow(/^encodeTiled: images must be/)
  expect(() => decode(config, params, image(1, 3, 8, 8))).toThrow(
    new RangeError('decode: z must be [B, 4, h, w] (got [1, 3, 8, 8])'),
  )
  expect(() => decodeTiled(config, params, image(1, 4, 8, 8), { tileSize: 12 })).toThrow(
    new RangeError('decodeTiled: tileSize must be a positive multiple of 8 (got 12)'),
  )
  const { 'quant_conv.bias': _, ...rest } = params
  expect(() => encode(config, rest, image(1, 3, 8, 8))).toThrow(
    new RangeError('checkVaeParams: the parameters must be those of the configuration (missing: quant_conv.bias [8])'),
  )
  const posterior = encode(config, params, image(1, 3, 4, 4))
  expect(() => samplePosterior(posterior, image(1, 4, 2, 3))).toThrow(
    new RangeError('samplePosterior: noise must have the shape of the mean (got [1, 4, 2, 3] and [1, 4, 2, 2])'),
  )
})

test('statistics of each channel scale its latents, and back', async () => {
  const config = {
    ...STABLE_DIFFUSION_VAE,
    latentChannels: 2,
    scalingFactor: 2,
    latentsMean: [1, -1],
    latentsStd: [4, 0.5],
  }
  const z = tensor(Float32Array.of(3, 5, 0, -1), [1, 2, 1, 2], { backend: reference() })
  const scaled = scaleLatents(config, z)
  // 2 (3 - 1) / 4, 2 (5 - 1) / 4, 2 (0 + 1) / 0.5, 2 (-1 + 1) / 0.5
  expect([...(await toFloat32Array(scaled))]).toEqual([1, 2, 4, 0])
  expect([...(await toFloat32Array(unscaleLatents(config, scaled)))]).toEqual([3, 5, 0, -1])
})
