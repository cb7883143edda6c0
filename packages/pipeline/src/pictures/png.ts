import { channelsOf, type PictureData } from './picture.js'

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

/**
 * A picture as a PNG file: 8 bits a channel, with alpha where it has some. Works in pages and in Node, with nothing but the platform.
 *
 * @example
 * await writeFile('disc.png', await toPng(picture))
 *
 * W3C, "Portable Network Graphics (PNG) Specification", third edition.
 */
export async function toPng(picture: PictureData): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height, data } = picture
  const channels = channelsOf('toPng', picture)
  // An opaque picture needs no alpha.
  const kept = channels === 4 && data.every((byte, i) => i % 4 !== 3 || byte === 255) ? 3 : channels
  const header = new DataView(new ArrayBuffer(13))
  header.setUint32(0, width)
  header.setUint32(4, height)
  header.setUint8(8, 8)
  header.setUint8(9, kept === 3 ? 2 : 6)
  return joined([
    SIGNATURE,
    ...chunk('IHDR', new Uint8Array(header.buffer)),
    ...chunk('IDAT', await deflated(filtered(data, width, height, channels, kept))),
    ...chunk('IEND', new Uint8Array()),
  ])
}

/** Rows with their filter before them: each pixel as its difference from the one to its left (filter 1, Sub). */
function filtered(
  data: PictureData['data'],
  width: number,
  height: number,
  channels: number,
  kept: number,
): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array(height * (1 + width * kept))
  let at = 0
  for (let y = 0; y < height; y++) {
    rows[at++] = 1
    for (let x = 0; x < width; x++) {
      const pixel = (y * width + x) * channels
      for (let c = 0; c < kept; c++) rows[at++] = data[pixel + c] - (x === 0 ? 0 : data[pixel - channels + c])
    }
  }
  return rows
}

async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'))
  return new Uint8Array(await new Response(packed).arrayBuffer())
}

/** Length, type, content and checksum. */
function chunk(type: string, content: Uint8Array): Uint8Array[] {
  const body = joined([new TextEncoder().encode(type), content])
  return [uint32(content.length), body, uint32(crc32(body))]
}

function uint32(value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4))
  bytes.setUint32(0, value)
  return new Uint8Array(bytes.buffer)
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let crc = n
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** CRC-32 of the PNG specification, annex D. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
