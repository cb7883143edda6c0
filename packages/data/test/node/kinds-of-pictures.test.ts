import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FolderScan, ImageFolderError, type ImageFolderOptions, openImageFolder } from '../../src/node/index.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-data-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function put(path: string, content: Buffer | string | Promise<Buffer>): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), await content)
}

async function readAll(options: Partial<ImageFolderOptions> = {}) {
  const dataset = await openImageFolder(folder, { size: 4, ...options })
  try {
    const { x0 } = await dataset.read(Array.from({ length: dataset.length }, (_, i) => i))
    const bytes = Array.from(x0, (value) => Math.round((value + 1) * 127.5))
    const area = 16
    /** Colour of the first pixel of each picture. */
    const colours = dataset.files.map((_, i) => [0, 1, 2].map((c) => bytes[(3 * i + c) * area]))
    return { dataset, bytes, colours }
  } finally {
    await dataset.close()
  }
}

const raw = (pixel: number[]): Sharp => {
  const data = Uint8Array.from({ length: 64 * pixel.length }, (_, i) => pixel[i % pixel.length])
  return sharp(data, { raw: { width: 8, height: 8, channels: pixel.length as 1 | 2 | 3 | 4 } })
}

/** A PNG of which there is no more than the header with its checksum. */
function header(width: number, height: number): Buffer {
  const chunk = Buffer.alloc(17, 'IHDR')
  chunk.writeUInt32BE(width, 4)
  chunk.writeUInt32BE(height, 8)
  chunk.set([8, 2, 0, 0, 0], 12)
  const file = Buffer.alloc(45)
  file.set(Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\x0d', 'latin1'))
  file.set(chunk, 12)
  file.writeUInt32BE(crc32(chunk), 29)
  file.write('IDAT', 37)
  return file
}

test('transparent pictures are put on the background, white if none is named, in every kind that has alpha', async () => {
  const clear = [255, 0, 0, 0]
  await put('a/1.png', raw(clear).png().toBuffer())
  await put('a/2.webp', raw(clear).webp({ lossless: true, exact: true }).toBuffer())
  await put('a/3.tiff', raw(clear).tiff({ compression: 'lzw' }).toBuffer())
  await put('a/4.gif', raw(clear).gif().toBuffer())
  await put('a/5.png', raw(clear).png({ palette: true }).toBuffer())
  await put('a/6.png', raw(clear).toColourspace('rgb16').png().toBuffer())
  await put('a/7.avif', raw(clear).avif({ effort: 0, lossless: true }).toBuffer())
  await put('a/8.png', raw([60, 0]).toColourspace('b-w').png().toBuffer())
  const eight = (colour: number[]) => Array.from({ length: 8 }, () => colour)
  const onWhite = await readAll()
  expect(onWhite.colours).toEqual(eight([255, 255, 255]))
  expect(onWhite.dataset.transparent).toEqual(onWhite.dataset.files)
  expect((await readAll({ background: '#0a64ff' })).colours).toEqual(eight([10, 100, 255]))
})

test('background null drops alpha as the reference does, so that hidden colours show', async () => {
  await put('a/1.png', raw([255, 30, 7, 0]).png().toBuffer())
  await put('a/2.png', raw([9, 8, 7]).png().toBuffer())
  const { colours, dataset } = await readAll({ background: null })
  expect(colours).toEqual([
    [255, 30, 7],
    [9, 8, 7],
  ])
  expect(dataset.transparent).toEqual([join('a', '1.png')])
  expect(dataset.swallowed).toEqual([])
})

test('opaque pictures have the same bytes with an alpha channel, without one, and on any ground', async () => {
  const noise = Uint8Array.from({ length: 3 * 64 }, (_, i) => (Math.imul(i + 1, 2_654_435_761) >>> 13) & 255)
  const picture = () => sharp(noise, { raw: { width: 8, height: 8, channels: 3 } })
  await put('a/1.png', picture().png().toBuffer())
  await put('a/2.png', picture().ensureAlpha().png().toBuffer())
  const wide = picture().toColourspace('rgb16')
  await put('a/3.png', wide.png().toBuffer())
  await put('a/4.png', picture().ensureAlpha().toColourspace('rgb16').png().toBuffer())
  const first = await readAll({ background: null, rules: 1, size: 5 })
  const second = await readAll({ background: '#123456', size: 5 })
  expect(second.bytes).toEqual(first.bytes)
  expect(second.dataset.transparent).toEqual([])
})

test('names the transparent pictures that the background swallows', async () => {
  const half = (level: number) => {
    const data = Uint8Array.from({ length: 256 }, (_, i) => (i % 4 === 3 ? (i < 128 ? 255 : 0) : level))
    return sharp(data, { raw: { width: 8, height: 8, channels: 4 } })
      .png()
      .toBuffer()
  }
  await put('a/black.png', half(0))
  await put('a/white.png', half(255))
  expect((await readAll()).dataset.swallowed).toEqual([join('a', 'white.png')])
  expect((await readAll({ background: '#000000' })).dataset.swallowed).toEqual([join('a', 'black.png')])
})

test('reads JFIF, AVIF, the first picture of a GIF, TIFF, files of other names, and counts the rest', async () => {
  const [red, blue] = [raw([250, 0, 0]), raw([0, 0, 250])]
  await put('a/1.JFIF', red.clone().jpeg({ quality: 100 }).toBuffer())
  await put('a/2.jpe', red.clone().jpeg({ quality: 100 }).toBuffer())
  await put('a/3.avif', red.clone().avif({ effort: 0, quality: 100 }).toBuffer())
  const frames = [await red.clone().png().toBuffer(), await blue.png().toBuffer()]
  await put(
    'a/4.gif',
    sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer(),
  )
  await put('a/5.tif', red.clone().tiff({ compression: 'lzw' }).toBuffer())
  await put('a/6', red.clone().png().toBuffer())
  await put('a/7.png', red.clone().gif().toBuffer())
  await put('a/8.bmp', 'BM')
  const scans: FolderScan[] = []
  const { colours, dataset } = await readAll({ onScanned: (scan) => scans.push(scan) })
  expect(colours).toHaveLength(7)
  for (const [r, g, b] of colours) expect(Math.max(250 - r, g, b)).toBeLessThanOrEqual(6)
  const leftOut = [{ kind: '.bmp', count: 1, isPicture: true }]
  expect(dataset.leftOut).toEqual(leftOut)
  expect(scans).toEqual([{ classes: ['a'], length: 7, leftOut, innerFolders: null }])
})

test('skipBad does not empty a class, but did under the first rules', async () => {
  await put('bad/1.png', 'words')
  await put('good/1.png', raw([1, 2, 3]).png().toBuffer())
  const error = (await openImageFolder(folder, { size: 4, skipBad: true }).catch((error: unknown) => error)) as Error
  expect(error).toBeInstanceOf(ImageFolderError)
  expect(error.message).toContain(
    'Without them nothing is left of class bad: repair pictures of it, or remove its folder.',
  )
  await put('worse/1.png', 'words')
  await expect(openImageFolder(folder, { size: 4, skipBad: true })).rejects.toThrow(
    'Without them nothing is left of classes bad, worse: repair pictures of them, or remove their folders.',
  )
  const { dataset } = await readAll({ skipBad: true, rules: 1 })
  expect([dataset.classes, dataset.length]).toEqual([['bad', 'good', 'worse'], 1])
})

test('a header that promises too many pixels is refused before anything is decoded, with the setting named', async () => {
  await put('a/1.png', header(1, 16_000_000))
  await put('a/2.png', header(16_383, 16_383))
  await put('a/3.png', raw([1, 2, 3]).png().toBuffer())
  const options = { size: 4, skipBad: true }
  const reasons = async (more: Partial<ImageFolderOptions> = {}) => {
    const dataset = await openImageFolder(folder, { ...options, ...more })
    await dataset.close()
    return dataset.skipped.map(({ reason }) => reason)
  }
  const advice = 'make it smaller, or raise maxPixels'
  expect(await reasons()).toEqual([
    `it is too large: 1 by 16000000 pixels are more than 32768 a side; ${advice}`,
    `it is too large: 16383 by 16383 pixels are more than 100000000; ${advice}`,
  ])
  // Once the limit is raised a decoder sees them, and finds that nothing follows the header.
  for (const reason of await reasons({ maxPixels: 300_000_000 })) expect(reason).not.toContain('too large')
  await rm(join(folder, 'a', '1.png'))
  await rm(join(folder, 'a', '2.png'))
  await expect(openImageFolder(folder, { size: 4, maxPixels: 63 })).rejects.toThrow(
    `it is too large: 8 by 8 pixels are more than 63; ${advice}`,
  )
})
