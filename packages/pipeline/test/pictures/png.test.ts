import { inflateSync } from 'node:zlib'
import * as fc from 'fast-check'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { type PictureData, toImageData, toPng } from '../../src/index.js'

/** A picture as another reader of PNG sees it. */
async function readPng(
  bytes: Uint8Array,
): Promise<{ data: Uint8Array; width: number; height: number; channels: number }> {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
  return { data: new Uint8Array(data), width: info.width, height: info.height, channels: info.channels }
}

test('a picture is read back as it was, with alpha where it has some', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(3, 4),
      fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
      async (width, height, channels, bytes) => {
        const data = Uint8Array.from({ length: width * height * channels }, () => bytes.next().value as number)
        const found = await readPng(await toPng({ width, height, data }))
        const isOpaque = channels === 3 || data.every((byte, i) => i % 4 !== 3 || byte === 255)
        const wanted = isOpaque && channels === 4 ? data.filter((_, i) => i % 4 !== 3) : data
        expect(found).toEqual({ data: wanted, width, height, channels: isOpaque ? 3 : 4 })
      },
    ),
    { numRuns: 40 },
  )
})

test('its chunks are those of the specification', async () => {
  const png = await toPng({ width: 2, height: 1, data: Uint8Array.of(10, 20, 30, 11, 22, 33) })
  const view = new DataView(png.buffer)
  const chunks: [string, Uint8Array][] = []
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at)
    const body = png.subarray(at + 4, at + 8 + length)
    expect(view.getUint32(at + 8 + length)).toBe(crc32Of(body))
    chunks.push([new TextDecoder().decode(body.subarray(0, 4)), body.subarray(4)])
    at += 12 + length
  }
  expect(chunks.map(([type]) => type)).toEqual(['IHDR', 'IDAT', 'IEND'])
  expect([...chunks[0][1]]).toEqual([0, 0, 0, 2, 0, 0, 0, 1, 8, 2, 0, 0, 0])
  // Filter 1, the first pixel as it is, the second as the difference from it.
  expect([...inflateSync(chunks[1][1])]).toEqual([1, 10, 20, 30, 1, 2, 3])
})

function crc32Of(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

test('data of another size are refused, and ImageData where there is none', async () => {
  const wrong: PictureData = { width: 2, height: 2, data: new Uint8Array(5) }
  await expect(toPng(wrong)).rejects.toThrow('toPng: a picture of 2 x 2 must have 3 or 4 bytes per pixel (got 5 bytes)')
  expect(() => toImageData({ width: 1, height: 1, data: new Uint8Array(4) })).toThrow('use toPng here')
})
