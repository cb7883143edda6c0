import { initParams } from '@dit/model'
import { reference, toFloat32Array } from '@dit/tensor'
import { initVaeParams, type VaeConfig } from '@dit/vae'
import { expect, test } from 'vitest'
import { type FoundAutoencoder, openPipeline, type PictureData, type SampleOptions } from '../src/index.js'
import { openModel } from '../src/open/open-model.js'
import { createPipeline } from '../src/pipeline.js'
import { tinyModel } from './tiny-model.js'

const backend = reference()

/** A model of pixels, Gaussian or a flow. */
const open = (process: object = {}) =>
  openPipeline({ network: tinyModel, process, params: initParams(tinyModel, { seed: 1, backend }) }, { backend })

/** A picture of 4 x 4 with another colour in each pixel. */
const image: PictureData = {
  width: 4,
  height: 4,
  data: Uint8Array.from({ length: 48 }, (_, i) => (i * 37) % 256),
}
/** White on the left half. */
const mask: PictureData = {
  width: 4,
  height: 4,
  data: Uint8Array.from({ length: 48 }, (_, i) => (Math.floor(i / 3) % 4 < 2 ? 255 : 0)),
}
const rgb = ({ data }: PictureData, pixel: number) => [...data.subarray(4 * pixel, 4 * pixel + 3)]
const rgbOfImage = (pixel: number) => [...image.data.subarray(3 * pixel, 3 * pixel + 3)]

test.each([
  ['a Gaussian diffusion', {}, ['ddim', 'unipc', 'dpmpp-2m', 'heun']],
  ['a flow', { kind: 'flow' }, ['midpoint', 'euler', 'dpmpp-2m', 'sde', 'dopri5']],
])('%s keeps what the mask keeps byte for byte, and paints the rest', async (_, process, samplers) => {
  const dit = await open(process)
  for (const sampler of [undefined, ...samplers] as const) {
    const options = { image, mask, steps: 6, seed: 3, classes: [1], ...(sampler === undefined ? {} : { sampler }) }
    const [painted] = await dit.pictures(options as SampleOptions)
    for (const pixel of [2, 3, 6, 15]) expect(rgb(painted, pixel), `${sampler} ${pixel}`).toEqual(rgbOfImage(pixel))
    expect([0, 1, 4, 5].some((pixel) => String(rgb(painted, pixel)) !== String(rgbOfImage(pixel)))).toBe(true)
  }
})

test('a weaker strength stays nearer to the picture', async () => {
  const dit = await open({ kind: 'flow' })
  const away = async (strength: number) => {
    const [made] = await dit.pictures({ image, strength, steps: 20, classes: [0], seed: 1 })
    return Array.from({ length: 16 }, (_, pixel) => pixel)
      .flatMap((pixel) => rgb(made, pixel).map((byte, c) => Math.abs(byte - rgbOfImage(pixel)[c])))
      .reduce((sum, each) => sum + each, 0)
  }
  const [little, much] = [await away(0.1), await away(0.9)]
  expect(little).toBeLessThan(much / 2)
})

test('only the steps that are left are taken, and counted', async () => {
  const dit = await open()
  const totals: number[] = []
  for await (const { done, total } of dit.sample({ image, strength: 0.5, steps: 10, count: 2, batchSize: 3 })) {
    totals.push(total)
    expect(done).toBeLessThanOrEqual(total)
  }
  expect(totals).toEqual(Array.from({ length: 10 }, () => 10))
})

test('transparent parts lie on white, and a picture of one value may be grey', async () => {
  const grey = { ...tinyModel, inChannels: 1 }
  const dit = await openPipeline(
    { network: grey, process: { kind: 'flow' }, params: initParams(grey, { seed: 1, backend }) },
    { backend },
  )
  const clear = { width: 4, height: 4, data: new Uint8Array(64) }
  const black = { width: 4, height: 4, data: new Uint8Array(48) }
  const [kept] = await dit.pictures({ image: clear, mask: black, classes: [0], steps: 2 })
  expect([...kept.data]).toEqual(Array.from({ length: 64 }, () => 255))
})

const VAE: VaeConfig = {
  inChannels: 3,
  outChannels: 3,
  latentChannels: 4,
  blockOutChannels: [4, 4],
  layersPerBlock: 1,
  normNumGroups: 2,
  sampleSize: 8,
  scalingFactor: 0.5,
  shiftFactor: 0.1,
  useQuantConv: true,
  usePostQuantConv: true,
  midBlockAddAttention: true,
}

test('a model of latents begins from the latents of a picture, and keeps its bytes', async () => {
  const network = { ...tinyModel, inChannels: 4 }
  const params = initParams(network, { seed: 1, backend })
  const vae = initVaeParams(VAE, { seed: 2, backend })
  const autoencoder: FoundAutoencoder = {
    name: 'the autoencoder',
    config: VAE,
    open: async () => ({
      entries: new Map(Object.entries(vae).map(([name, { shape }]) => [name, { dtype: 'F32' as const, shape }])),
      tensor: () => Promise.reject(new Error('not asked for')),
      float32: async (name) => toFloat32Array(vae[name]),
    }),
  }
  const model = await openModel({ network, params, process: { kind: 'flow' } })
  const dit = await createPipeline({ ...model, autoencoder }, { backend })
  const large = { width: 8, height: 8, data: Uint8Array.from({ length: 192 }, (_, i) => (i * 53) % 256) }
  const halves = { width: 8, height: 8, data: large.data.map((_, i) => (Math.floor(i / 3) % 8 < 4 ? 255 : 0)) }
  const [painted] = await dit.pictures({ image: large, mask: halves, classes: [0], steps: 3 })
  expect([painted.width, painted.height]).toEqual([8, 8])
  for (const pixel of [4, 7, 12, 63])
    expect(rgb(painted, pixel)).toEqual([...large.data.subarray(3 * pixel, 3 * pixel + 3)])
  await expect(dit.pictures({ image, classes: [0] })).rejects.toThrow(
    'image must be 8 x 8 pixels, like the pictures of the model (got 4 x 4)',
  )
})

test.each<[SampleOptions, string]>([
  [{ image: { ...image, width: 3 } }, 'image must be 4 x 4 pixels, like the pictures of the model (got 3 x 4)'],
  [{ image, strength: 0 }, 'strength 0 must be above 0 and at most 1'],
  [{ image, strength: 0.01, steps: 10 }, 'strength 0.01 leaves none of 10 steps; raise it, or raise `steps`'],
  [
    { image, sampler: 'ddpm' },
    'sampler ddpm can only start from noise, not from `image`; `sampler` ddim with `eta` 1 draws as much noise',
  ],
  [{ mask }, 'mask needs an `image` to start from'],
  [{ image, noise: { values: new Float32Array(48), shape: [1, 3, 4, 4] } }, 'noise cannot be combined with `image`'],
])('what cannot be is refused: %#', async (options, message) => {
  const dit = await open()
  await expect(dit.pictures({ ...options, classes: [0] })).rejects.toThrow(message)
})
