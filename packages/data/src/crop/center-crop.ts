import { bicubicFilter, boxFilter, resample } from './resample.js'
import type { PixelImage } from './resample.js'

/**
 * The reference's way from a picture of any size to the training size: halve it with a box filter while it is at least
 * twice as large as needed, resize it with a bicubic filter until it just covers the target, cut out the middle.
 *
 * Equal to the bit to the result of Pillow up to version 12; version 13 takes tall pictures in another order, which moves
 * some bytes by one. For a square target this is the rule of the ADM and DiT training scripts; for a
 * rectangular one "large enough" means in both directions. Smaller pictures are enlarged.
 *
 * @returns `[height, width, 3]` bytes
 *
 * Dhariwal & Nichol 2021, "Diffusion Models Beat GANs on Image Synthesis", data loading of the published code.
 */
export function centerCrop(image: PixelImage, height: number, width: number): PixelImage {
  let current = image
  while (current.height >= 2 * height && current.width >= 2 * width) {
    current = resample(current, Math.floor(current.width / 2), Math.floor(current.height / 2), boxFilter)
  }
  const scale = Math.max(height / current.height, width / current.width)
  const coveringWidth = Math.max(width, roundHalfToEven(current.width * scale))
  const coveringHeight = Math.max(height, roundHalfToEven(current.height * scale))
  const left = Math.floor((coveringWidth - width) / 2)
  const top = Math.floor((coveringHeight - height) / 2)
  return resample(current, coveringWidth, coveringHeight, bicubicFilter, { left, top, width, height })
}

/** Rounding as Python's `round` does it. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}
