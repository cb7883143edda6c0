import type { Pictures } from '@dit/features'
import type { Features } from '@dit/metrics'

/** Side that pictures are averaged to before their pixels are compared. */
export const PIXEL_SIDE = 32

/** Largest side of pictures whose pixels are compared; features tell copies of larger ones better. */
export const MOST_PIXELS = 64

/** How pictures become rows. */
export interface PixelLayout {
  readonly size: readonly [height: number, width: number]
  /** Of grey training pictures the mean of the colours: what a model adds of colour is no distance from a copy. */
  readonly isGrey: boolean
}

/** Rows of pixels, filled part by part. */
export interface PixelRows {
  readonly rows: Features
  /** Rows of the mirror images; null where they are not wanted. */
  readonly mirrored: Features | null
  add(first: number, pictures: Pictures): void
}

/** Rows for so many pictures: means over squares of pixels, so that no side is longer than `PIXEL_SIDE`. */
export function pixelRows(count: number, { size, isGrey }: PixelLayout, isMirrored: boolean): PixelRows {
  const [height, width] = size
  const step = Math.max(1, Math.ceil(Math.max(height, width) / PIXEL_SIDE))
  const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)]
  const channels = isGrey ? 1 : 3
  const length = rows * columns * channels
  const empty = (): Features => ({ shape: [count, length], data: new Float32Array(count * length) })
  const [plain, mirror] = [empty(), isMirrored ? empty() : null]
  const put = (out: Features, pictures: Pictures, first: number, flip: boolean) => {
    for (let n = 0; n < pictures.count; n++) {
      const at = (first + n) * length
      averageInto(out.data.subarray(at, at + length), pictures, n, { step, columns, channels, flip })
    }
  }
  return {
    rows: plain,
    mirrored: mirror,
    add(first, pictures) {
      put(plain, pictures, first, false)
      if (mirror !== null) put(mirror, pictures, first, true)
    },
  }
}

interface Averaging {
  readonly step: number
  readonly columns: number
  readonly channels: number
  readonly flip: boolean
}

function averageInto(
  out: Float32Array | Float64Array,
  { height, width, pixels }: Pictures,
  n: number,
  { step, columns, channels, flip }: Averaging,
): void {
  const counts = new Float64Array(out.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = ((n * height + y) * width + (flip ? width - 1 - x : x)) * 3
      const cell = (Math.floor(y / step) * columns + Math.floor(x / step)) * channels
      for (let c = 0; c < 3; c++) {
        out[cell + (c % channels)] += pixels[from + c]
        counts[cell + (c % channels)]++
      }
    }
  }
  for (let i = 0; i < out.length; i++) out[i] /= counts[i]
}

/** Whether all colours of every picture are one grey. */
export function isGrey({ pixels }: Pictures): boolean {
  for (let i = 0; i < pixels.length; i += 3) {
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false
  }
  return true
}
