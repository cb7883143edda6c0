const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

/** Bytes from the signature to the end of IHDR, which comes first and has 13 bytes. */
const AFTER_HEADER = 8 + 4 + 4 + 13 + 4

/**
 * A PNG file with texts in it: an `iTXt` chunk each, after the header, uncompressed and in UTF-8.
 *
 * @param texts by keyword: 1 to 79 printable letters of ASCII
 * @throws RangeError for a file that is no PNG, and for such a keyword
 *
 * W3C, "Portable Network Graphics (PNG) Specification", third edition, 11.3.3.4.
 */
export async function withTexts(
  png: Uint8Array<ArrayBuffer>,
  texts: Readonly<Record<string, string>>,
): Promise<Uint8Array<ArrayBuffer>> {
  if (png.length < AFTER_HEADER || SIGNATURE.some((byte, i) => png[i] !== byte)) {
    throw new RangeError(`withTexts: the file must be a PNG (got ${png.length} bytes that begin otherwise)`)
  }
  const chunks = await Promise.all(Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text)))
  const parts = [png.subarray(0, AFTER_HEADER), ...chunks, png.subarray(AFTER_HEADER)]
  const file = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    file.set(part, at)
    at += part.length
  }
  return file
}

async function textChunk(keyword: string, text: string): Promise<Uint8Array> {
  if (!/^(?=[!-~])[ -~]{1,79}(?<=[!-~])$/.test(keyword)) {
    throw new RangeError(`withTexts: a keyword must be 1 to 79 printable letters of ASCII (got ${keyword})`)
  }
  const encoder = new TextEncoder()
  // After the keyword: its end, no compression, its method, no language, no translated keyword.
  const body = encoder.encode(`iTXt${keyword}\0\0\0\0\0${text}`)
  const chunk = new Uint8Array(4 + body.length + 4)
  const view = new DataView(chunk.buffer)
  view.setUint32(0, body.length - 4)
  chunk.set(body, 4)
  view.setUint32(4 + body.length, await crc32(body))
  return chunk
}

/** CRC-32 of the PNG specification, annex D: gzip has the same at its end, before the length (RFC 1952, 2.3.1). */
async function crc32(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))
  const view = new DataView(await new Response(packed).arrayBuffer())
  return view.getUint32(view.byteLength - 8, true)
}
