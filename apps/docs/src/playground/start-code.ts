import type { PictureData } from '@dit/pipeline'

/**
 * A picture as letters of a link: RGB, row by row, deflated without a header (RFC 1951), in base64 for addresses (RFC 4648, section 5).
 * A drawing of a few colours takes some hundred letters, a photograph of 32 x 32 about 4,000.
 *
 * @param picture RGBA, opaque
 */
export async function pictureToCode({ width, height, data }: PictureData): Promise<string> {
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++) rgb.set(data.subarray(4 * i, 4 * i + 3), 3 * i)
  const packed = new Blob([rgb]).stream().pipeThrough(new CompressionStream('deflate-raw'))
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer())
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * The picture of such letters, RGBA.
 *
 * @param side of the picture, in pixels
 * @throws RangeError where they are none of that size
 */
export async function codeToPicture(code: string, side: number): Promise<PictureData> {
  const rgb = await unpack(code, side * side * 3).catch((cause: unknown) => {
    throw new RangeError(`codeToPicture: the letters must be a picture of ${side} x ${side} pixels`, { cause })
  })
  const data = new Uint8ClampedArray(side * side * 4).fill(255)
  for (let i = 0; i < side * side; i++) data.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i)
  return { width: side, height: side, data }
}

async function unpack(code: string, length: number): Promise<Uint8Array> {
  const bytes = Uint8Array.from(atob(code.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  const reader = unpacked.getReader()
  const parts = new Uint8Array(length)
  let at = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (at + value.length > length) {
      // A link may hold little that becomes much.
      await reader.cancel()
      throw new RangeError(`there are more than ${length} bytes`)
    }
    parts.set(value, at)
    at += value.length
  }
  if (at < length) throw new RangeError(`there are ${at} bytes of ${length}`)
  return parts
}
