import type { Backend } from '@dit/tensor'
import type { OpenModel } from '../open-model.js'
import { OptionError } from '../option-error.js'
import type { SampleOptions } from '../sampling/sample-options.js'
import type { StartPicture } from '../sampling/sample-batches.js'
import type { OpenAutoencoder } from './autoencoder.js'
import { channelsOf, type PictureData } from './picture.js'

/**
 * The picture that sampling starts from, in the network's units, and how much of each part is kept. Transparent parts lie on white.
 *
 * @throws OptionError where picture or mask has another size than the model's pictures
 */
export async function startPicture(
  { description, network }: OpenModel,
  { image, mask }: SampleOptions,
  autoencoder: OpenAutoencoder | null,
  backend: Backend,
): Promise<StartPicture | null> {
  if (image === undefined) return null
  const [channels, h, w] = network.inputShape
  const factor = autoencoder?.factor ?? 1
  const [height, width] = [h * factor, w * factor]
  checkSize('image', image, width, height)
  const [black, white] = description.pixelRange ?? [-1, 1]
  const colours = autoencoder === null ? channels : autoencoder.config.inChannels
  const pixels = planesOf(image, colours).map((value) => black + (value / 255) * (white - black))
  const x0 = autoencoder === null ? pixels : await encoded(autoencoder, pixels, [colours, height, width])
  if (mask === undefined) return { x0, kept: null }
  checkSize('mask', mask, width, height)
  return { x0, kept: keptOf(mask, factor) }

  async function encoded(opened: OpenAutoencoder, values: Float32Array, of: readonly [number, number, number]) {
    const { encodePicture } = await import('./autoencoder.js')
    return encodePicture(opened, backend, values, of)
  }
}

function checkSize(option: 'image' | 'mask', given: PictureData, width: number, height: number): void {
  channelsOf(option, given)
  if (given.width === width && given.height === height) return
  throw new OptionError(
    option,
    `it must be ${width} x ${height} pixels, like the pictures of the model (got ${given.width} x ${given.height})`,
  )
}

/** A picture on white as planes of values from 0 to 255, `[C, H, W]`; grey is the mean of the colours that the eye sees. */
export function planesOf(picture: PictureData, colours: number): Float32Array {
  const { data, width, height } = picture
  const step = channelsOf('image', picture)
  const area = width * height
  const planes = new Float32Array(colours * area)
  for (let i = 0; i < area; i++) {
    const alpha = step === 4 ? data[i * 4 + 3] / 255 : 1
    const [r, g, b] = [0, 1, 2].map((c) => 255 + alpha * (data[i * step + c] - 255))
    // ITU-R BT.601
    if (colours === 1) planes[i] = 0.299 * r + 0.587 * g + 0.114 * b
    else for (const [c, value] of [r, g, b].entries()) planes[c * area + i] = value
  }
  return planes
}

/** 1 where black keeps the picture, 0 where white gives it up, `[H, W]`; the mean over each pixel of the latents. */
function keptOf(mask: PictureData, factor: number): Float32Array {
  const plane = planesOf(mask, 1)
  const [width, height] = [mask.width / factor, mask.height / factor]
  const kept = new Float32Array(width * height)
  for (let y = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++) {
      const at = Math.floor(y / factor) * width + Math.floor(x / factor)
      kept[at] += (1 - plane[y * mask.width + x] / 255) / (factor * factor)
    }
  }
  return kept
}
