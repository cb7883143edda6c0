import type { Pictures } from '@dit/features'

/**
 * Checks that pictures are what they say.
 *
 * @throws TypeError unless their pixels are bytes
 * @throws RangeError for no picture, or another number of bytes than RGB pictures of that size have
 */
export function checkPictures(who: string, what: string, { count, height, width, pixels }: Pictures): void {
  if (!(pixels instanceof Uint8Array)) throw new TypeError(`${who}: the pixels of ${what} must be a Uint8Array`)
  for (const [name, value] of Object.entries({ count, height, width })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`${who}: the ${name} of ${what} must be a positive integer (it is ${value})`)
  }
  const area = count * height * width
  if (pixels.length === 3 * area) return
  const isGrey = pixels.length === area ? '; grey pictures must have each byte three times' : ''
  throw new RangeError(
    `${who}: ${what} must be RGB, ${3 * area} bytes for ${count} pictures of ${height} x ${width} (got ${pixels.length})${isGrey}`,
  )
}

/** Bytes of a picture in [-1, 1] as a data set gives it: nearest, since pictures of files were bytes before. */
export function toBytes(
  x0: Float32Array,
  [channels, height, width]: readonly [number, number, number],
  what: string,
): Pictures {
  if (channels !== 1 && channels !== 3) {
    throw new RangeError(
      `evaluate: pictures must have 1 or 3 channels (${what} has ${channels}); latents must be decoded first`,
    )
  }
  const area = height * width
  const count = x0.length / (channels * area)
  const pixels = new Uint8Array(count * area * 3)
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < 3; c++) {
      const plane = (n * channels + Math.min(c, channels - 1)) * area
      for (let i = 0; i < area; i++) {
        const value = x0[plane + i]
        if (Number.isNaN(value)) throw new RangeError(`evaluate: picture ${n} of ${what} has pixels that are NaN`)
        pixels[(n * area + i) * 3 + c] = Math.max(0, Math.min(255, Math.round(127.5 * (value + 1))))
      }
    }
  }
  return { count, height, width, pixels }
}

/** Some pictures of several, in the order given. */
export function takePictures({ height, width, pixels }: Pictures, indices: ArrayLike<number>): Pictures {
  const bytes = height * width * 3
  const taken = new Uint8Array(indices.length * bytes)
  for (let i = 0; i < indices.length; i++)
    taken.set(pixels.subarray(indices[i] * bytes, (indices[i] + 1) * bytes), i * bytes)
  return { count: indices.length, height, width, pixels: taken }
}
