import { parentPort } from 'node:worker_threads'
import sharp from 'sharp'
import { centerCrop } from '../crop/center-crop.js'
import { PIXEL_LIMIT, reasonAgainstFile, reasonAgainstPicture } from './picture-file.js'
import { onOneLine } from './printable.js'

/** One picture to decode and crop. */
export interface CropJob {
  readonly path: string
  readonly height: number
  readonly width: number
}

/** Its crop, `[height, width, 3]` bytes, or why there is none. */
export type CropResult = { readonly crop: Uint8Array<ArrayBuffer> } | { readonly reason: string }

/**
 * Decodes a file to RGB bytes and crops it, if its content is PNG, JPEG or WebP; nothing else reaches a decoder.
 *
 * Grey becomes three equal channels; palettes are resolved; alpha is dropped and 16-bit depth cut to its upper 8 bits,
 * both as in the reference; CMYK goes through libvips' conversion; colour profiles are not applied, as in the
 * reference. The EXIF orientation is applied, which the reference does not do.
 */
async function crop({ path, height, width }: CropJob): Promise<CropResult> {
  const reason =
    (await reasonAgainstFile(path)) ?? (await reasonAgainstPicture(sharp(path, { limitInputPixels: false })))
  if (reason !== null) return { reason }
  const { data, info } = await sharp(path, { failOn: 'error', ignoreIcc: true, limitInputPixels: PIXEL_LIMIT })
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const image = centerCrop({ data, width: info.width, height: info.height }, height, width)
  return { crop: new Uint8Array(image.data) }
}

async function answer(job: CropJob): Promise<void> {
  try {
    const result = await crop(job)
    parentPort?.postMessage(result, 'crop' in result ? [result.crop.buffer] : [])
  } catch (error) {
    const reason = onOneLine(error instanceof Error ? error.message : String(error))
    parentPort?.postMessage({ reason } satisfies CropResult, [])
  }
}

parentPort?.on('message', (job: CropJob) => void answer(job))
