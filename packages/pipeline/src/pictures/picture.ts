import { type Pictures, picture } from './pixels.js'

/** A picture as bytes: RGBA or RGB, row by row. What `ImageData` of a page is, and what a decoder gives. */
export interface PictureData {
  readonly width: number
  readonly height: number
  /** `[height, width, 4]` or `[height, width, 3]`. */
  readonly data: Uint8Array | Uint8ClampedArray
}

/** A picture that was sampled. */
export interface Picture extends PictureData {
  /** RGBA, opaque: `new ImageData(data, width)` takes it as it is. */
  readonly data: Uint8ClampedArray<ArrayBuffer>
  /** The class that was asked for, and its name. */
  readonly label: number
  readonly className: string
}

/** One of several pictures as RGBA. */
export function rgbaOf(pictures: Pictures, index: number): Uint8ClampedArray<ArrayBuffer> {
  const rgb = picture(pictures, index)
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255)
  for (let i = 0; 3 * i < rgb.length; i++) rgba.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i)
  return rgba
}

/**
 * A picture for a canvas: `context.putImageData(toImageData(picture), 0, 0)`.
 *
 * @throws Error outside of pages and their workers, where there is no `ImageData`
 */
export function toImageData({ width, height, data }: PictureData): ImageData {
  const { ImageData: Type } = globalThis as { ImageData?: typeof ImageData }
  if (Type === undefined) throw new Error('toImageData: only browsers have ImageData; use toPng here')
  return new Type(toRgba({ width, height, data }), width, height)
}

/**
 * The bytes of a picture as RGBA; opaque where it is RGB.
 *
 * @throws RangeError where the data are neither
 */
export function toRgba(given: PictureData): Uint8ClampedArray<ArrayBuffer> {
  const channels = channelsOf('toRgba', given)
  const { data } = given
  if (channels === 4) return new Uint8ClampedArray(data)
  const rgba = new Uint8ClampedArray((data.length / 3) * 4).fill(255)
  for (let i = 0; 3 * i < data.length; i++) rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i)
  return rgba
}

/** 3 for RGB and 4 for RGBA. */
export function channelsOf(who: string, picture: PictureData): 3 | 4 {
  const { width, height, data } = (picture ?? {}) as Partial<PictureData>
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray
  if (!isBytes || width === undefined || height === undefined) {
    throw new TypeError(`${who}: a picture must be { width, height, data } with bytes; decode a file first`)
  }
  const channels = data.length / (width * height)
  if (channels === 3 || channels === 4) return channels
  throw new RangeError(
    `${who}: a picture of ${width} x ${height} must have 3 or 4 bytes per pixel (got ${data.length} bytes)`,
  )
}
