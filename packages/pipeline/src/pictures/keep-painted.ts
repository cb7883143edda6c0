import type { SampleOptions } from '../sampling/sample-options.js'
import type { Picture } from './picture.js'
import { planesOf } from './start-picture.js'

/**
 * Puts back what a mask keeps of the picture that was started from: where the mask is black the bytes are those of the picture, whatever
 * solvers and autoencoders made of them.
 */
export function keepPainted(painted: Picture, { image, mask }: SampleOptions): Picture {
  if (image === undefined || mask === undefined) return painted
  const kept = planesOf(mask, 1).map((value) => 1 - value / 255)
  const original = planesOf(image, 3)
  const area = painted.width * painted.height
  const data = painted.data.map((byte, at) => {
    const [i, c] = [Math.floor(at / 4), at % 4]
    return c === 3 ? byte : Math.round(kept[i] * original[c * area + i] + (1 - kept[i]) * byte)
  })
  return { ...painted, data }
}
