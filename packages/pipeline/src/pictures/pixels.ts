/** Pictures as bytes. */
export interface Pictures {
  readonly count: number
  readonly height: number
  readonly width: number
  /** RGB, `[count, height, width, 3]`. */
  readonly pixels: Uint8Array
}

/**
 * Pictures in [-1, 1] as bytes, as the reference writes them:
 *
 *   byte = trunc(clamp(127.5 x + 128, 0, 255))
 *
 * @param images `[B, C, H, W]` with 1 channel (grey) or 3
 * @param shape  `[C, H, W]`
 * @param range  what black and white are in the images, where it is not [-1, 1]
 */
export function toPictures(
  images: Float32Array,
  shape: readonly [channels: number, height: number, width: number],
  [black, white]: readonly [number, number] = [-1, 1],
): Pictures {
  const [channels, height, width] = shape
  if (channels !== 1 && channels !== 3) throw new RangeError(`toPictures: channels must be 1 or 3 (got ${channels})`)
  const area = height * width
  const count = images.length / (channels * area)
  const pixels = new Uint8Array(count * area * 3)
  const isUsual = black === -1 && white === 1
  const toUsual = (x: number) => (isUsual ? x : (2 * (x - black)) / (white - black) - 1)
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < 3; c++) {
      const plane = (n * channels + Math.min(c, channels - 1)) * area
      for (let i = 0; i < area; i++) {
        pixels[(n * area + i) * 3 + c] = Math.max(0, Math.min(255, 127.5 * toUsual(images[plane + i]) + 128))
      }
    }
  }
  return { count, height, width, pixels }
}

/** One of the pictures; shares memory. */
export function picture({ height, width, pixels }: Pictures, index: number): Uint8Array {
  return pixels.subarray(index * height * width * 3, (index + 1) * height * width * 3)
}
