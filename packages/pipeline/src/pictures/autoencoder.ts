import type { Description } from '@dit/model'
import { type Backend, dispose, type Params, scope, tensor, toFloat32Array } from '@dit/tensor'
import {
  checkVaeConfig,
  decode,
  decodeTiled,
  encodeTiled,
  loadVaeParams,
  modeOfPosterior,
  scaleLatents,
  spatialFactor,
  unscaleLatents,
  type VaeConfig,
} from '@dit/vae'
import type { FoundAutoencoder } from '../open-model.js'
import { OpenError } from '../option-error.js'
import { type Pictures, toPictures } from './pixels.js'

/** An autoencoder on an engine. Whoever opened it disposes of it. */
export interface OpenAutoencoder {
  /** With the scaling of the network's latents, where its file says one, in place of the autoencoder's own. */
  readonly config: VaeConfig
  readonly params: Params
  /** Pixels of a picture a pixel of its latents, in each direction. */
  readonly factor: number
}

/** How pictures are decoded. */
export interface DecodeAutoencoderOptions {
  /** In tiles of 512 pixels, which blend into each other. Default: false, as a whole. */
  readonly tile?: boolean
  readonly onPicture?: (done: number) => void | Promise<void>
}

/** Pixels a side of a tile. */
const TILE = 512

/**
 * Throws unless the autoencoder has the latents of the network, and pictures that can be shown.
 *
 * @throws OpenError
 */
export function checkAutoencoder({ name, config }: FoundAutoencoder, channels: number, what: string): void {
  if (config.latentChannels !== channels) {
    throw new OpenError(
      name,
      `its latents have ${config.latentChannels} channels, but those of ${what} have ${channels}; use the autoencoder the model was trained with`,
    )
  }
  if (config.outChannels !== 1 && config.outChannels !== 3) {
    throw new OpenError(name, `it makes pictures of ${config.outChannels} channels; only 1 or 3 can be shown`)
  }
}

/**
 * Brings an autoencoder to an engine.
 *
 * @throws OpenError where its file is not that of its configuration
 */
export async function loadAutoencoder(
  found: FoundAutoencoder,
  scaling: Description['latents'],
  backend: Backend,
): Promise<OpenAutoencoder> {
  const file = await found.open()
  try {
    const config = withScaling(found.config, scaling)
    const params = await loadVaeParams(config, file, { backend })
    return { config, params, factor: spatialFactor(config) }
  } catch (cause) {
    if (cause instanceof RangeError) throw new OpenError(found.name, cause.message, { cause })
    throw cause
  } finally {
    await file.close?.()
  }
}

/**
 * An autoencoder whose latents are scaled as a network has them, in place of its own factor: for `scaleLatents`, `unscaleLatents` and the
 * graph of its decoder.
 *
 * @throws RangeError for statistics of another number of channels
 */
function withScaling(config: VaeConfig, scaling: Description['latents']): VaeConfig {
  if (scaling === null) return config
  const { latentsMean: _mean, latentsStd: _std, ...others } = config
  const { scale, mean = 0, deviation = 1 } = scaling
  if (typeof mean === 'number' && typeof deviation === 'number') {
    return { ...others, scalingFactor: scale / deviation, shiftFactor: mean }
  }
  const perChannel = (value: number | readonly number[]) =>
    typeof value === 'number' ? Array.from({ length: config.latentChannels }, () => value) : value
  const scaled = {
    ...others,
    scalingFactor: scale,
    shiftFactor: 0,
    latentsMean: perChannel(mean),
    latentsStd: perChannel(deviation),
  }
  checkVaeConfig(scaled)
  return scaled
}

/**
 * Latents as pictures.
 *
 * @param latents `[N, C, h, w]`, as a diffusion model makes them
 * @param options `tile` decodes large pictures piece by piece, in a fraction of the memory and a little differently; `onPicture` is called
 *   after each
 */
export async function decodePictures(
  { config, params, factor }: OpenAutoencoder,
  backend: Backend,
  latents: Float32Array,
  [C, h, w]: readonly [number, number, number],
  { tile = false, onPicture = () => {} }: DecodeAutoencoderOptions = {},
): Promise<Pictures> {
  const [height, width, size] = [h * factor, w * factor, C * h * w]
  const count = latents.length / size
  const pixels = new Uint8Array(count * height * width * 3)
  const step = 4 * factor
  const tileSize = Math.max(step, Math.floor(Math.max(TILE, config.sampleSize) / step) * step)
  for (let i = 0; i < count; i++) {
    const own = latents.subarray(i * size, (i + 1) * size)
    const image = scope(() => {
      const z = unscaleLatents(config, tensor(own, [1, C, h, w], { backend }))
      return tile ? decodeTiled(config, params, z, { tileSize }) : decode(config, params, z)
    })
    const { pixels: bytes } = toPictures(await toFloat32Array(image), [config.outChannels, height, width])
    dispose(image)
    pixels.set(bytes, i * bytes.length)
    await onPicture(i + 1)
  }
  return { count, height, width, pixels }
}

/**
 * The latents of a picture as a diffusion model knows them: the mean of the posterior, scaled.
 *
 * @param pixels `[C, H, W]` in [-1, 1]
 * @returns `[C, h, w]`
 */
export async function encodePicture(
  { config, params }: OpenAutoencoder,
  backend: Backend,
  pixels: Float32Array,
  shape: readonly [number, number, number],
): Promise<Float32Array> {
  const latents = scope(() => {
    const z = modeOfPosterior(encodeTiled(config, params, tensor(pixels, [1, ...shape], { backend })))
    return scaleLatents(config, z)
  })
  try {
    return await toFloat32Array(latents)
  } finally {
    dispose(latents)
  }
}
