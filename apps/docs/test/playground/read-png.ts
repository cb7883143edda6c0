import { crc32 } from 'node:zlib'

/** A chunk of a PNG file. */
export interface Chunk {
  readonly type: string
  readonly body: Uint8Array
}

/**
 * The chunks of a PNG file.
 *
 * @throws Error where a checksum, by Node's own CRC-32, is wrong
 */
export function chunksOf(png: Uint8Array): Chunk[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  const chunks: Chunk[] = []
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at)
    const typed = png.subarray(at + 4, at + 8 + length)
    if (view.getUint32(at + 8 + length) !== crc32(typed)) throw new Error(`the checksum at ${at} is wrong`)
    chunks.push({ type: new TextDecoder().decode(typed.subarray(0, 4)), body: typed.slice(4) })
    at += 12 + length
  }
  return chunks
}

/** Its texts by keyword. */
export function textsOf(png: Uint8Array): Record<string, string> {
  const texts = chunksOf(png).filter(({ type }) => type === 'iTXt')
  return Object.fromEntries(
    texts.map(({ body }) => {
      const end = body.indexOf(0)
      if (body.subarray(end, end + 5).some((byte) => byte !== 0)) throw new Error('a text is compressed or translated')
      return [new TextDecoder().decode(body.subarray(0, end)), new TextDecoder().decode(body.subarray(end + 5))]
    }),
  )
}
