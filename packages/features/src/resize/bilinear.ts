import type { RasterShape, Resizer } from './resize.js'

const { fround } = Math

/** Where in the old line, in pixels, a pixel of the new one lies; in float32. */
export type SourceOf = (index: number, scale: number) => number

/** TensorFlow 1, `align_corners` false: index in / out. */
export const tf1Source: SourceOf = (index, scale) => fround(index * scale)

/** Centre to centre, not before the first: (index + 1/2) in / out - 1/2. */
export const halfPixelSource: SourceOf = (index, scale) =>
  Math.max(0, fround(fround(scale * fround(index + 0.5)) - 0.5))

/** The two old pixels between which a new one lies, as offsets, and its share of the second. */
interface Lerps {
  readonly lower: Int32Array
  readonly upper: Int32Array
  readonly share: Float32Array
}

/** Straight lines between the four nearest pixels, in the order of operations of TensorFlow's kernel and in float32. */
export function bilinearResizer(from: RasterShape, height: number, width: number, source: SourceOf): Resizer {
  const { channels } = from
  const stride = from.width * channels
  const rows = lerps(from.height, height, stride, source)
  const columns = lerps(from.width, width, channels, source)
  return (pixels) => {
    const out = new Float32Array(height * width * channels)
    let at = 0
    for (let y = 0; y < height; y++) {
      const [top, bottom, down] = [rows.lower[y], rows.upper[y], rows.share[y]]
      for (let x = 0; x < width; x++) {
        const [left, right, along] = [columns.lower[x], columns.upper[x], columns.share[x]]
        for (let c = 0; c < channels; c++, at++) {
          const above = lerp(pixels[top + left + c], pixels[top + right + c], along)
          const below = lerp(pixels[bottom + left + c], pixels[bottom + right + c], along)
          out[at] = lerp(above, below, down)
        }
      }
    }
    return out
  }
}

function lerp(first: number, second: number, share: number): number {
  return fround(first + fround(fround(second - first) * share))
}

function lerps(oldSize: number, newSize: number, step: number, source: SourceOf): Lerps {
  const scale = fround(oldSize / newSize)
  const sources = Float32Array.from({ length: newSize }, (_, i) => source(i, scale))
  const last = oldSize - 1
  return {
    lower: Int32Array.from(sources, (place) => Math.min(Math.floor(place), last) * step),
    upper: Int32Array.from(sources, (place) => Math.min(Math.floor(place) + 1, last) * step),
    share: sources.map((place) => place - Math.floor(place)),
  }
}
