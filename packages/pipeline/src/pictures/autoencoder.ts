import type { Description, LatentScaling } from '@dit/model'
import { type Backend, dispose, type Params, scope, tensor, toFloat32Array } from '@dit/tensor'
import {
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
  readonly config: VaeConfig
  readonly params: Params
  /** How the network's latents are scaled, where its file says: in place of the autoencoder's own factor. */
  readonly scaling: LatentScaling | null
  /** Pixels of a picture a pixel of its latents, in each direction. */
  readonly factor: number
}

/** Tiles of at most so many pixels a side: larger pictures are decoded piece by piece. */
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
  const { config } = found
  const file = await found.open()
  try {
    const params = await loadVaeParams(config, file, { backend })
    return { config, params, scaling, factor: spatialFactor(config) }
  } catch (cause) {
    if (cause instanceof RangeError) throw new OpenError(found.name, cause.message, { cause })
    throw cause
  } finally {
    await file.close?.()
  }
}

/** Whether a scaling is one factor and one shift, which the autoencoder's own functions apply. */
function uniform(config: VaeConfig, scaling: LatentScaling | null): VaeConfig | null {
  if (scaling === null) return config
  const { scale, mean = 0, deviation = 1 } = scaling
  if (typeof mean !== 'number' || typeof deviation !== 'number') return null
  return { ...config, scalingFactor: scale / deviation, shiftFactor: mean }
}

/** One number a channel. */
function perChannel(value: number | readonly number[], channels: number, what: string): readonly number[] {
  if (typeof value === 'number') return Array.from({ length: channels }, () => value)
  if (value.length === channels) return value
  throw new RangeError(`latents: ${what} must have ${channels} numbers, one per channel (got ${value.length})`)
}

/** Latents `[C, h, w]` with each channel times a factor and plus a shift. */
function mapChannels(
  latents: Float32Array,
  channels: number,
  map: (value: number, channel: number) => number,
): Float32Array {
  const area = latents.length / channels
  return latents.map((value, i) => map(value, Math.floor(i / area)))
}

/**
 * Latents as pictures.
 *
 * @param latents `[N, C, h, w]`, as a diffusion model makes them
 * @param onPicture called after each
 */
export async function decodePictures(
  { config, params, scaling, factor }: OpenAutoencoder,
  backend: Backend,
  latents: Float32Array,
  [C, h, w]: readonly [number, number, number],
  onPicture: (done: number) => void | Promise<void> = () => {},
): Promise<Pictures> {
  const [height, width, size] = [h * factor, w * factor, C * h * w]
  const count = latents.length / size
  const pixels = new Uint8Array(count * height * width * 3)
  const known = uniform(config, scaling)
  const { scale = 1, mean = 0, deviation = 1 } = scaling ?? {}
  const [means, deviations] = [perChannel(mean, C, 'mean'), perChannel(deviation, C, 'deviation')]
  const step = 4 * factor
  const tileSize = Math.max(step, Math.floor(Math.max(TILE, config.sampleSize) / step) * step)
  for (let i = 0; i < count; i++) {
    const own = latents.subarray(i * size, (i + 1) * size)
    const image = scope(() => {
      if (known !== null) {
        const z = tensor(own, [1, C, h, w], { backend })
        return decodeTiled(config, params, unscaleLatents(known, z), { tileSize })
      }
      const values = mapChannels(own, C, (value, c) => (value * deviations[c]) / scale + means[c])
      return decodeTiled(config, params, tensor(values, [1, C, h, w], { backend }), { tileSize })
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
  { config, params, scaling }: OpenAutoencoder,
  backend: Backend,
  pixels: Float32Array,
  shape: readonly [number, number, number],
): Promise<Float32Array> {
  const known = uniform(config, scaling)
  const latents = scope(() => {
    const z = modeOfPosterior(encodeTiled(config, params, tensor(pixels, [1, ...shape], { backend })))
    return known === null ? z : scaleLatents(known, z)
  })
  try {
    const values = await toFloat32Array(latents)
    if (known !== null) return values
    const { scale, mean = 0, deviation = 1 } = scaling!
    const C = config.latentChannels
    const [means, deviations] = [perChannel(mean, C, 'mean'), perChannel(deviation, C, 'deviation')]
    return mapChannels(values, C, (value, c) => (scale * (value - means[c])) / deviations[c])
  } finally {
    dispose(latents)
  }
}
