import type { RasterShape, Resizer } from './resize.js'

/** Which old pixels of a line a new one is made of, and their weights. */
interface Taps {
  readonly first: number
  readonly weights: Float64Array
}

/** How a pass counts. */
interface Arithmetic<T> {
  readonly make: (length: number) => T
  /** What a sum begins with. */
  readonly start: number
  /** Sums of weighted pixels become pixels of the result, from `at` on. */
  readonly store: (sums: Float64Array, out: T, at: number) => void
}

const floats: Arithmetic<Float32Array> = {
  make: (length) => new Float32Array(length),
  start: 0,
  store: (sums, out, at) => out.set(sums, at),
}

/** Fixed-point precision of Pillow's weights: 32 bits less 8 for the pixel and 2 for overshoot. */
const FIXED_ONE = 2 ** 22

const bytes: Arithmetic<Uint8Array> = {
  make: (length) => new Uint8Array(length),
  start: FIXED_ONE / 2,
  store: (sums, out, at) => {
    for (let i = 0; i < sums.length; i++) out[at + i] = Math.max(0, Math.min(255, Math.floor(sums[i] / FIXED_ONE)))
  },
}

/** Pillow's bicubic on pictures of floats: sums in float64, each pass kept in float32. What overshoots is clipped at the end. */
export function bicubicResizer(from: RasterShape, height: number, width: number): Resizer {
  const columns = from.width === width ? null : bicubicTaps(from.width, width)
  const rows = from.height === height ? null : bicubicTaps(from.height, height)
  return (pixels) => {
    const out = twoPasses(Float32Array.from(pixels), from, columns, rows, floats)
    return out.map((value) => Math.min(255, Math.max(0, value)))
  }
}

/** Pillow's bicubic on pictures of bytes. */
export function pillowBicubicResizer(from: RasterShape, height: number, width: number): Resizer {
  const columns = from.width === width ? null : bicubicTaps(from.width, width).map(inFixedPoint)
  const rows = from.height === height ? null : bicubicTaps(from.height, height).map(inFixedPoint)
  return (pixels) => Float32Array.from(twoPasses(pixels, from, columns, rows, bytes))
}

/** Along the rows and along the columns; null where a line keeps its length. */
function twoPasses<T extends Uint8Array | Float32Array>(
  pixels: T,
  { height, width, channels }: RasterShape,
  columns: readonly Taps[] | null,
  rows: readonly Taps[] | null,
  { make, store, start }: Arithmetic<T>,
): T {
  const alongRows = (source: T, outer: number) =>
    columns === null ? source : pass(source, outer, width, channels, columns, { make, store, start })
  const alongColumns = (source: T, inner: number) =>
    rows === null ? source : pass(source, 1, height, inner * channels, rows, { make, store, start })
  const [newHeight, newWidth] = [rows?.length ?? height, columns?.length ?? width]
  // Pillow's rule since version 13; before, rows came first always.
  const areColumnsFirst = newHeight < height && height - newHeight > 2 * (width - newWidth)
  return areColumnsFirst
    ? alongRows(alongColumns(pixels, width), newHeight)
    : alongColumns(alongRows(pixels, height), newWidth)
}

/** Resamples the middle one of three axes: `[outer, size, inner]` becomes `[outer, taps.length, inner]`. */
function pass<T extends Uint8Array | Float32Array>(
  source: T,
  outer: number,
  size: number,
  inner: number,
  taps: readonly Taps[],
  { make, store, start }: Arithmetic<T>,
): T {
  const out = make(outer * taps.length * inner)
  const sums = new Float64Array(inner)
  let to = 0
  for (let line = 0; line < outer; line++) {
    for (const { first, weights } of taps) {
      sums.fill(start)
      let at = (line * size + first) * inner
      for (const weight of weights) {
        for (let i = 0; i < inner; i++, at++) sums[i] += weight * source[at]
      }
      store(sums, out, to)
      to += inner
    }
  }
  return out
}

/** Keys 1981, eq. 15, as Pillow writes it: cubic convolution with a = -1/2. */
function cubic(distance: number): number {
  const d = Math.abs(distance)
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * -0.5
  return 0
}

/** Each new pixel's weights, which sum to 1. Where the picture shrinks, the kernel is stretched by as much, so that every old pixel counts. */
function bicubicTaps(oldSize: number, newSize: number): Taps[] {
  const scale = oldSize / newSize
  const stretch = Math.max(scale, 1)
  const support = 2 * stretch
  return Array.from({ length: newSize }, (_, i) => {
    const centre = (i + 0.5) * scale
    const first = Math.max(0, Math.trunc(centre - support + 0.5))
    const end = Math.min(oldSize, Math.trunc(centre + support + 0.5))
    const weights = Float64Array.from({ length: end - first }, (_, k) =>
      cubic((first + k - centre + 0.5) * (1 / stretch)),
    )
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    return { first, weights: weights.map((weight) => weight / total) }
  })
}

function inFixedPoint({ first, weights }: Taps): Taps {
  return { first, weights: weights.map((weight) => Math.trunc(weight * FIXED_ONE + (weight < 0 ? -0.5 : 0.5))) }
}
