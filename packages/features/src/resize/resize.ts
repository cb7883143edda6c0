import { bicubicResizer, pillowBicubicResizer } from './bicubic.js'
import { bilinearResizer, halfPixelSource, tf1Source } from './bilinear.js'

/** A picture as bytes, `[height, width, channels]`. */
export interface Raster {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly pixels: Uint8Array
}

export type RasterShape = Omit<Raster, 'pixels'>

/** How a picture is brought to another size. Features differ between them, so two sets are compared under one only. */
export type ResizeMethod = keyof typeof RESIZERS

/** Resizes pictures of one shape: what depends on sizes only is made once. */
export type Resizer = (pixels: Uint8Array) => Float32Array

export type MakeResizer = (from: RasterShape, height: number, width: number) => Resizer

const RESIZERS = {
  /** TensorFlow 1's `ResizeBilinear`, inside the graph of the FID Inception: no half-pixel shift, no antialiasing. */
  'tf1-bilinear': (from, height, width) => bilinearResizer(from, height, width, tf1Source),
  /** torch's `interpolate`, as pytorch-fid calls it: centres of pixels are matched, no antialiasing. */
  'half-pixel-bilinear': (from, height, width) => bilinearResizer(from, height, width, halfPixelSource),
  /** clean-fid: Pillow's bicubic on float channels, clipped to 0 .. 255, not rounded. */
  'clean-bicubic': bicubicResizer,
  /** Pillow's bicubic on bytes; each pass is rounded. */
  'pillow-bicubic': pillowBicubicResizer,
} satisfies Record<string, MakeResizer>

/** Names of the ways to resize. */
export const RESIZE_METHODS = Object.keys(RESIZERS) as readonly ResizeMethod[]

/**
 * A picture at another size, as the programs do it that published numbers come from:
 *
 *     tf1-bilinear          source = i in / out
 *     half-pixel-bilinear   source = max((i + 1/2) in / out - 1/2, 0)
 *     clean-bicubic         cubic convolution (a = -1/2) over max(in / out, 1) times its support, clipped to 0 .. 255
 *     pillow-bicubic        the same in fixed point, each pass rounded to bytes
 *
 * The arithmetic is theirs too, float32 where they use it: `tf1-bilinear` has the bits of torch-fidelity, and the bicubic ones those of
 * Pillow 13.
 *
 * @returns `[height, width, channels]`, 0 .. 255
 * @throws RangeError for an unknown method, a size below 1, or pixels that do not fill the picture
 *
 * Parmar, Zhang & Zhu 2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation".
 */
export function resize(
  image: Raster,
  [height, width]: readonly [height: number, width: number],
  method: ResizeMethod,
): Float32Array {
  const { height: fromHeight, width: fromWidth, channels, pixels } = image
  const size = fromHeight * fromWidth * channels
  if (pixels.length !== size) {
    throw new RangeError(
      `resize: a picture of [${fromHeight}, ${fromWidth}, ${channels}] needs ${size} bytes (got ${pixels.length})`,
    )
  }
  return resizer('resize', image, height, width, method)(pixels)
}

/** @throws RangeError for an unknown method, or an extent below 1 */
export function resizer(who: string, from: RasterShape, height: number, width: number, method: ResizeMethod): Resizer {
  checkResizeMethod(who, method)
  for (const extent of [from.height, from.width, from.channels, height, width]) {
    if (!Number.isInteger(extent) || extent < 1) {
      throw new RangeError(
        `${who}: extents must be integers of 1 or more (from [${from.height}, ${from.width}, ${from.channels}] to [${height}, ${width}])`,
      )
    }
  }
  return RESIZERS[method](from, height, width)
}

/** @throws RangeError for an unknown method */
export function checkResizeMethod(who: string, method: string): void {
  if (!Object.hasOwn(RESIZERS, method)) {
    throw new RangeError(`${who}: resize must be one of ${RESIZE_METHODS.join(', ')} (got ${method})`)
  }
}
