/** A picture as most files hold it: `[height, width, 3]` bytes, colour fastest. */
export interface PixelImage {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

/** A resampling kernel: its weight at a distance in (scaled) pixels, zero beyond `support`. */
export interface ResampleFilter {
  readonly support: number
  weight(distance: number): number
}

/** Average of the pixels under the new one. */
export const boxFilter: ResampleFilter = {
  support: 0.5,
  weight: (distance) => (distance > -0.5 && distance <= 0.5 ? 1 : 0),
}

/**
 * Cubic convolution with a = -1/2.
 *
 * Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing", eq. 15.
 */
export const bicubicFilter: ResampleFilter = {
  support: 2,
  weight: (distance) => {
    const d = Math.abs(distance)
    if (d < 1) return (1.5 * d - 2.5) * d * d + 1
    if (d < 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2
    return 0
  },
}

/**
 * Resizes a picture the way Pillow does, to the bit: one pass along the rows, then one along the columns, each rounded
 * to bytes. When shrinking, the filter is stretched by the scale, so that every old pixel takes part.
 */
export function resample(image: PixelImage, width: number, height: number, filter: ResampleFilter): PixelImage {
  const wide = width === image.width ? image : resampleRows(image, width, filter)
  return height === wide.height ? wide : resampleColumns(wide, height, filter)
}

function resampleRows(
  { data, width: oldWidth, height }: PixelImage,
  width: number,
  filter: ResampleFilter,
): PixelImage {
  const out = new Uint8Array(width * height * 3)
  const taps = filterTaps(oldWidth, width, filter)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const { first, weights } = taps[column]
      const from = (row * oldWidth + first) * 3
      writeSums(data, from, 3, weights, out, (row * width + column) * 3)
    }
  }
  return { data: out, width, height }
}

function resampleColumns(
  { data, width, height: oldHeight }: PixelImage,
  height: number,
  filter: ResampleFilter,
): PixelImage {
  const out = new Uint8Array(width * height * 3)
  const taps = filterTaps(oldHeight, height, filter)
  for (let row = 0; row < height; row++) {
    const { first, weights } = taps[row]
    for (let column = 0; column < width; column++) {
      writeSums(data, (first * width + column) * 3, 3 * width, weights, out, (row * width + column) * 3)
    }
  }
  return { data: out, width, height }
}

/** Fixed-point precision of the weights: 32 bits less 8 for the pixel and 2 for overshoot. */
const FIXED_ONE = 2 ** 22

/** Three weighted sums, one per colour, of pixels `step` bytes apart. */
function writeSums(data: Uint8Array, from: number, step: number, weights: Float64Array, out: Uint8Array, to: number) {
  let [red, green, blue] = [FIXED_ONE / 2, FIXED_ONE / 2, FIXED_ONE / 2]
  for (let k = 0, at = from; k < weights.length; k++, at += step) {
    red += weights[k] * data[at]
    green += weights[k] * data[at + 1]
    blue += weights[k] * data[at + 2]
  }
  out[to] = toByte(red)
  out[to + 1] = toByte(green)
  out[to + 2] = toByte(blue)
}

function toByte(fixed: number): number {
  return Math.max(0, Math.min(255, Math.floor(fixed / FIXED_ONE)))
}

interface Taps {
  readonly first: number
  /** whole numbers, in units of 1 / FIXED_ONE */
  readonly weights: Float64Array
}

/** For each new pixel of a line: which old pixels it is made of, and their weights, which sum to 1. */
function filterTaps(oldSize: number, newSize: number, filter: ResampleFilter): Taps[] {
  const scale = oldSize / newSize
  const stretch = Math.max(scale, 1)
  const support = filter.support * stretch
  return Array.from({ length: newSize }, (_, i) => {
    const center = (i + 0.5) * scale
    const first = Math.max(0, Math.trunc(center - support + 0.5))
    const end = Math.min(oldSize, Math.trunc(center + support + 0.5))
    const weights = new Float64Array(end - first)
    let total = 0
    for (let k = 0; k < weights.length; k++) {
      weights[k] = filter.weight((first + k - center + 0.5) * (1 / stretch))
      total += weights[k]
    }
    for (let k = 0; k < weights.length; k++) {
      const fixed = (total === 0 ? weights[k] : weights[k] / total) * FIXED_ONE
      weights[k] = Math.trunc(fixed + (fixed < 0 ? -0.5 : 0.5))
    }
    return { first, weights }
  })
}
