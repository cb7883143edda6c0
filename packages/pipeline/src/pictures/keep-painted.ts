import type { SampleOptions } from '../sampling/sample-options.js'
import type { Pictures } from './pixels.js'
import { planesOf } from './start-picture.js'

/**
 * Puts back what a mask keeps of the picture that was started from: where the mask is black the bytes are those of the picture, whatever
 * solvers and autoencoders made of them.
 */
export function keepPainted(painted: Pictures, { image, mask }: Pick<SampleOptions, 'image' | 'mask'>): Pictures {
  if (image === undefined || mask === undefined) return painted
  const kept = planesOf(mask, 1).map((value) => 1 - value / 255)
  const original = planesOf(image, 3)
  const area = painted.width * painted.height
  const pixels = painted.pixels.map((byte, at) => {
    const [i, c] = [Math.floor(at / 3) % area, at % 3]
    return Math.round(kept[i] * original[c * area + i] + (1 - kept[i]) * byte)
  })
  return { ...painted, pixels }
}
