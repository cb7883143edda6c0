import { parentPort } from 'node:worker_threads'
import sharp, { type Sharp } from 'sharp'
import { centerCrop } from '../crop/center-crop.js'
import type { PixelImage } from '../crop/resample.js'
import { putOnBackground, type Rgb } from './background.js'
import { decoderReason } from './decoder-reason.js'
import type { FolderRules } from './file-kinds.js'
import { pictureInput, type PicturePlace, reasonAgainstPicture } from './picture-file.js'

/** What is the same for all pictures of a folder. */
export interface CropSettings {
  readonly height: number
  readonly width: number
  /** what transparent pictures are put on; null drops alpha, so that hidden colours show */
  readonly background: Rgb | null
  readonly maxPixels: number
  readonly rules: FolderRules
}

/** One picture to decode and crop. */
export interface CropJob extends CropSettings {
  readonly place: PicturePlace
}

/** A crop, and what became of the picture's alpha. */
export interface Crop {
  /** `[height, width, 3]` bytes */
  readonly crop: Uint8Array<ArrayBuffer>
  /** some pixel is transparent; where alpha is dropped, that there is an alpha channel */
  readonly isTransparent: boolean
  /** the background has nearly the colour of what is on it */
  readonly isSwallowed: boolean
}

/** A crop, or why there is none. */
export type CropResult = Crop | { readonly reason: string }

/**
 * Decodes a file to RGB bytes and crops it, if its content is of a kind that is read; nothing else reaches a decoder. Of
 * several pictures in a file it is the first.
 *
 * Grey becomes three equal channels; palettes are resolved; transparent pictures are put on the background, which the reference
 * does not do: there alpha is dropped. 16-bit depth is cut to its upper 8 bits, as in the reference; CMYK goes through libvips'
 * conversion; colour profiles are not applied, as in the reference. The EXIF orientation is applied, which the reference does
 * not do.
 */
async function crop({ place, height, width, background, maxPixels, rules }: CropJob): Promise<CropResult> {
  const input = await pictureInput(place, rules)
  if (typeof input === 'object' && 'reason' in input) return input
  const metadata = await sharp(input, { limitInputPixels: false }).metadata()
  const reason = reasonAgainstPicture(metadata, rules, maxPixels)
  if (reason !== null) return { reason }
  const decoded = () =>
    sharp(input, { failOn: 'error', ignoreIcc: true, limitInputPixels: maxPixels }).autoOrient().toColourspace('srgb')
  const { hasAlpha } = metadata
  const onGround = hasAlpha && background !== null ? await flattened(decoded(), background) : null
  const image = centerCrop(onGround ?? (await pixelsOf(decoded().removeAlpha())), height, width)
  return {
    crop: new Uint8Array(image.data),
    isTransparent: onGround?.isTransparent ?? hasAlpha,
    isSwallowed: onGround?.isSwallowed ?? false,
  }
}

async function pixelsOf(picture: Sharp): Promise<PixelImage & { readonly channels: number }> {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, channels: info.channels }
}

/** @returns null where the fourth channel is not the only one beside the colours */
async function flattened(picture: Sharp, background: Rgb) {
  const { data, width, height, channels } = await pixelsOf(picture)
  return channels === 4 ? { ...putOnBackground(data, background), width, height } : null
}

async function answer(job: CropJob): Promise<void> {
  try {
    const result = await crop(job)
    parentPort?.postMessage(result, 'crop' in result ? [result.crop.buffer] : [])
  } catch (error) {
    parentPort?.postMessage({ reason: decoderReason(error) } satisfies CropResult, [])
  }
}

parentPort?.on('message', (job: CropJob) => void answer(job))
