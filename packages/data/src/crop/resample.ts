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

/** A part of a picture, in its pixels. */
export interface PixelWindow {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/**
 * Resizes a picture the way Pillow does, to the bit: one pass along the rows, then one along the columns, each rounded
 * to bytes. When shrinking, the filter is stretched by the scale, so that every old pixel takes part.
 *
 * @param window  the part of the new picture to compute (default: all of it). Nothing outside it costs time or memory,
 *   which matters where a line of one pixel is enlarged to cover a square
 */
export function resample(
  image: PixelImage,
  width: number,
  height: number,
  filter: ResampleFilter,
  window: PixelWindow = { left: 0, top: 0, width, height },
): PixelImage {
  const { left, top } = window
  const rowTaps = height === image.height ? null : filterTaps(image.height, height, filter, top, window.height)
  // Old rows that the second pass reads: the centres rise, and so do the ends of the taps.
  const first = rowTaps === null ? top : rowTaps[0].first
  const last = rowTaps?.at(-1)
  const end = last === undefined ? top + window.height : last.first + last.weights.length
  const wide =
    width === image.width
      ? cut(image, { left, top: first, width: window.width, height: end - first })
      : resampleRows(image, filterTaps(image.width, width, filter, left, window.width), first, end)
  return rowTaps === null ? wide : resampleColumns(wide, rowTaps, first)
}

/** The pixels of a window; the picture itself where that is all of it. */
function cut(image: PixelImage, { left, top, width, height }: PixelWindow): PixelImage {
  if (width === image.width && height === image.height) return image
  const data = new Uint8Array(width * height * 3)
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * image.width + left) * 3
    data.set(image.data.subarray(from, from + width * 3), row * width * 3)
  }
  return { data, width, height }
}

function resampleRows(
  { data, width: oldWidth }: PixelImage,
  taps: readonly Taps[],
  first: number,
  end: number,
): PixelImage {
  const [width, height] = [taps.length, end - first]
  const out = new Uint8Array(width * height * 3)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const { first: firstColumn, weights } = taps[column]
      const from = ((first + row) * oldWidth + firstColumn) * 3
      writeSums(data, from, 3, weights, out, (row * width + column) * 3)
    }
  }
  return { data: out, width, height }
}

/** @param offset  the old row that `data` begins with */
function resampleColumns({ data, width }: PixelImage, taps: readonly Taps[], offset: number): PixelImage {
  const height = taps.length
  const out = new Uint8Array(width * height * 3)
  for (let row = 0; row < height; row++) {
    const { first, weights } = taps[row]
    for (let column = 0; column < width; column++) {
      const from = ((first - offset) * width + column) * 3
      writeSums(data, from, 3 * width, weights, out, (row * width + column) * 3)
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

/** For `count` new pixels of a line from `start` on: which old pixels each is made of, and their weights, which sum to 1. */
function filterTaps(oldSize: number, newSize: number, filter: ResampleFilter, start: number, count: number): Taps[] {
  const scale = oldSize / newSize
  const stretch = Math.max(scale, 1)
  const support = filter.support * stretch
  return Array.from({ length: count }, (_, i) => {
    const center = (start + i + 0.5) * scale
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
