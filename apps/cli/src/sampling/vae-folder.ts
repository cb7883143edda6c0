import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type TensorFile, torchTensors } from '@dit/checkpoint'
import {
  findWeightsFile,
  openSafetensorsFile,
  openShardsFile,
  openTorchFile,
  sniffFile,
  WEIGHTS_FILES,
} from '@dit/checkpoint/node'
import { type Backend, dispose, type Params, scope, tensor, toFloat32Array } from '@dit/tensor'
import { decodeTiled, loadVaeParams, spatialFactor, unscaleLatents, type VaeConfig, vaeConfig } from '@dit/vae'
import { type Pictures, toPictures } from '../images/pixels.js'
import { UsageError } from '../terminal/errors.js'

/** An autoencoder on an engine. Whoever opened it disposes of the parameters. */
export interface OpenVae {
  readonly config: VaeConfig
  readonly params: Params
}

type OpenFile = TensorFile & { readonly close: () => Promise<void> }

async function openFile(path: string): Promise<OpenFile> {
  if ((await sniffFile(path)) === 'torch') {
    const file = await openTorchFile(path)
    return { ...torchTensors(file), close: () => file.close() }
  }
  return path.endsWith('.json') ? openShardsFile(path) : openSafetensorsFile(path)
}

/** Tiles of at most so many pixels a side: larger pictures are decoded piece by piece. */
const TILE = 512

/**
 * The configuration of an autoencoder's folder, or of the `vae` inside a pipeline's.
 *
 * @throws UsageError when there is none
 */
export async function readVaeConfig(given: string): Promise<{ folder: string; config: VaeConfig }> {
  const folder = (await isFile(join(given, 'vae', 'config.json'))) ? join(given, 'vae') : given
  const path = join(folder, 'config.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new UsageError(
      `--vae ${given}: it is no folder of an autoencoder as diffusers saves it (${path} cannot be read)`,
      { cause },
    )
  }
  try {
    return { folder, config: vaeConfig(JSON.parse(text)) }
  } catch (cause) {
    throw new UsageError(`${path}: ${(cause as Error).message}`, { cause })
  }
}

/**
 * Loads the autoencoder of a folder.
 *
 * @throws UsageError when its files are missing or are not those of its configuration
 */
export async function openVae(given: string, backend: Backend): Promise<OpenVae> {
  const { folder, config } = await readVaeConfig(given)
  const path = await findWeightsFile(folder)
  if (path === null) throw new UsageError(`--vae ${given}: ${folder} has no weights, such as ${WEIGHTS_FILES[0]}`)
  const file = await openFile(path)
  try {
    return { config, params: await loadVaeParams(config, file, { backend }) }
  } catch (cause) {
    if (cause instanceof RangeError) throw new UsageError(`${path}: ${cause.message}`, { cause })
    throw cause
  } finally {
    await file.close()
  }
}

/**
 * Latents as pictures.
 *
 * @param latents `[N, C, h, w]`, as a diffusion model makes them
 * @param onPicture called after each
 */
export async function decodePictures(
  { config, params }: OpenVae,
  backend: Backend,
  latents: Float32Array,
  [C, h, w]: readonly [number, number, number],
  onPicture: (done: number) => void | Promise<void> = () => {},
): Promise<Pictures> {
  const factor = spatialFactor(config)
  const [height, width, size] = [h * factor, w * factor, C * h * w]
  const count = latents.length / size
  const pixels = new Uint8Array(count * height * width * 3)
  for (let i = 0; i < count; i++) {
    const image = scope(() => {
      const z = tensor(latents.subarray(i * size, (i + 1) * size), [1, C, h, w], { backend })
      const step = 4 * factor
      const tileSize = Math.max(step, Math.floor(Math.max(TILE, config.sampleSize) / step) * step)
      return decodeTiled(config, params, unscaleLatents(config, z), { tileSize })
    })
    const { pixels: bytes } = toPictures(await toFloat32Array(image), [config.outChannels, height, width])
    dispose(image)
    pixels.set(bytes, i * bytes.length)
    await onPicture(i + 1)
  }
  return { count, height, width, pixels }
}

/** @throws UsageError unless the autoencoder has the latents of the model */
export function checkVaeFits(given: string, config: VaeConfig, channels: number, what: string): void {
  if (config.latentChannels !== channels) {
    throw new UsageError(
      `--vae ${given}: its latents have ${config.latentChannels} channels, but ${what} has ${channels}`,
    )
  }
  if (config.outChannels !== 1 && config.outChannels !== 3) {
    throw new UsageError(`--vae ${given}: only pictures of 1 or 3 channels can be shown (it has ${config.outChannels})`)
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true
}
