import { vaeDecoderGraph } from '@dit/onnx'
import { randomNormal, randomStream, reference, useBackend } from '@dit/tensor'
import { decode, initVaeParams, STABLE_DIFFUSION_VAE, unscaleLatents, type VaeConfig } from '@dit/vae'
import { expect, test } from 'vitest'
import { expectSame, run } from './runtime.js'

await useBackend(reference())

const config: VaeConfig = {
  ...STABLE_DIFFUSION_VAE,
  blockOutChannels: [4, 8, 8],
  layersPerBlock: 1,
  normNumGroups: 4,
}

test.each([
  ['like that of Stable Diffusion', {}],
  [
    'without what can be left out, with a shift',
    {
      usePostQuantConv: false,
      midBlockAddAttention: false,
      shiftFactor: 0.4,
      blockOutChannels: [8],
      latentChannels: 3,
    },
  ],
  [
    'whose latents have statistics of each channel',
    { latentsMean: [0.1, -0.2, 0.3, 0], latentsStd: [1, 2, 0.5, 1.5], scalingFactor: 0.7 },
  ],
])('a decoder %s gives the same images in ONNX Runtime, for any batch and size', async (_, changes) => {
  const of = { ...config, ...changes }
  const params = initVaeParams(of, { seed: 1 })
  const graph = vaeDecoderGraph(of)
  for (const shape of [
    [1, of.latentChannels, 4, 4],
    [2, of.latentChannels, 3, 5],
  ]) {
    const latents = randomNormal(shape, randomStream(4, 'latents'))
    const got = await run(graph, params, { latents: [shape, Float32Array.from(await latents.data())] })
    await expectSame(got, decode(of, params, unscaleLatents(of, latents)))
  }
})

test('refuses a configuration that is none', () => {
  expect(() => vaeDecoderGraph({ ...config, layersPerBlock: 0 })).toThrow(/layersPerBlock must be a positive integer/)
})
