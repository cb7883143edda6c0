import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ImageFolderError, openImageFolder } from '../../src/node/index.js'
import type { ImageFolderOptions } from '../../src/node/index.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-data-'))
})
afterEach(() => rm(folder, { recursive: true }))

const RED = { r: 220, g: 40, b: 60 }
const BLUE = { r: 20, g: 70, b: 200 }

/** A red picture whose right half is blue. */
function picture(width = 40, height = 30) {
  const blue = { create: { width: width - (width >> 1), height, channels: 3, background: BLUE } } as const
  return sharp({ create: { width, height, channels: 3, background: RED } }).composite([
    { input: blue, left: width >> 1, top: 0 },
  ])
}

async function put(path: string, content: Buffer | string | Promise<Buffer>): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), await content)
}

/** Opens the folder, reads one batch, closes it. */
async function readAll(options: ImageFolderOptions, flips?: number[]) {
  const dataset = await openImageFolder(folder, options)
  try {
    const indices = Array.from({ length: dataset.length }, (_, i) => i)
    return { dataset, ...(await dataset.read(indices, { flips })) }
  } finally {
    await dataset.close()
  }
}

/** Colour of one pixel of picture `row`, back in bytes. */
function pixel(x0: Float32Array, size: number, row: number, y: number, x: number): number[] {
  return [0, 1, 2].map((c) => Math.round((x0[((row * 3 + c) * size + y) * size + x] + 1) * 127.5))
}

function expectColor(got: number[], { r, g, b }: typeof RED, slack: number): void {
  for (const [channel, want] of [r, g, b].entries()) expect(Math.abs(got[channel] - want)).toBeLessThanOrEqual(slack)
}

test('labels number the sorted class folders; pictures below them count at any depth', async () => {
  await put('zebra/a.png', picture().png().toBuffer())
  await put('apple/deep/er/b.JPEG', picture().jpeg().toBuffer())
  await put('apple/a.webp', picture().webp().toBuffer())
  await put('apple/notes.txt', 'not a picture')
  await put('apple/.hidden.png', 'not a picture')
  await put('.git/a.png', 'not a picture')
  const { dataset, labels, x0 } = await readAll({ size: 8 })
  expect(dataset.classes).toEqual(['apple', 'zebra'])
  expect(dataset.files.map((path) => path.replaceAll('\\', '/'))).toEqual([
    'apple/a.webp',
    'apple/deep/er/b.JPEG',
    'zebra/a.png',
  ])
  expect([...labels]).toEqual([0, 0, 1])
  expect(dataset.shape).toEqual([3, 8, 8])
  expect(x0).toHaveLength(3 * 3 * 64)
  expectColor(pixel(x0, 8, 2, 4, 0), RED, 0)
  expectColor(pixel(x0, 8, 2, 4, 7), BLUE, 0)
})

test('a flip mirrors a picture', async () => {
  await put('a/a.png', picture().png().toBuffer())
  const { x0 } = await readAll({ size: 8 }, [1])
  expectColor(pixel(x0, 8, 0, 4, 0), BLUE, 0)
  expectColor(pixel(x0, 8, 0, 4, 7), RED, 0)
})

test('grey, palette, 16-bit, alpha, CMYK, rotated, rectangular and tiny files all become RGB crops', async () => {
  await put('a/1-grey.png', picture().grayscale().png().toBuffer())
  await put('a/2-grey16.png', picture().toColourspace('grey16').png().toBuffer())
  await put('a/3-palette.png', picture().png({ palette: true }).toBuffer())
  await put('a/4-rgb16.png', picture().toColourspace('rgb16').png().toBuffer())
  await put('a/5-alpha.png', picture().ensureAlpha(0.3).png().toBuffer())
  await put('a/6-cmyk.jpg', picture().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer())
  await put('a/7-rotated.jpg', picture().withMetadata({ orientation: 3 }).jpeg({ quality: 100 }).toBuffer())
  await put('a/8-wide.jpg', picture(200, 21).jpeg({ quality: 100 }).toBuffer())
  await put(
    'a/9-tiny.png',
    sharp({ create: { width: 1, height: 2, channels: 3, background: RED } })
      .png()
      .toBuffer(),
  )
  const { x0, dataset } = await readAll({ size: 16 })
  expect(dataset.length).toBe(9)
  for (const row of [0, 1]) {
    const [r, g, b] = pixel(x0, 16, row, 8, 0)
    expect([g, b]).toEqual([r, r])
    expect(r).toBeGreaterThan(40)
    expect(r).toBeLessThan(200)
  }
  for (const row of [2, 3, 4]) {
    expectColor(pixel(x0, 16, row, 8, 0), RED, 1)
    expectColor(pixel(x0, 16, row, 8, 15), BLUE, 1)
  }
  // The way to CMYK and back does not keep every colour.
  expectColor(pixel(x0, 16, 5, 8, 0), RED, 45)
  // Upside down, the left half is blue; JPEG at full quality keeps flat areas within a few units.
  expectColor(pixel(x0, 16, 6, 8, 0), BLUE, 6)
  expectColor(pixel(x0, 16, 6, 8, 15), RED, 6)
  expectColor(pixel(x0, 16, 7, 8, 0), RED, 6)
  expectColor(pixel(x0, 16, 8, 8, 8), RED, 0)
})

test('cuts rectangular crops', async () => {
  await put('a/a.png', picture(64, 64).png().toBuffer())
  const { dataset, x0 } = await readAll({ size: [8, 16] })
  expect(dataset.shape).toEqual([3, 8, 16])
  expect(x0).toHaveLength(3 * 8 * 16)
})

test('reads the same with and without the cache, and follows links', async () => {
  await put('a/a.png', picture().png().toBuffer())
  await put('elsewhere.png', picture(30, 40).png().toBuffer())
  await symlink(join(folder, 'elsewhere.png'), join(folder, 'a', 'b.png'))
  const cached = await readAll({ size: 8 })
  const decoded = await readAll({ size: 8, cacheBytes: 0, threads: 1 })
  expect(cached.dataset.length).toBe(2)
  expect(decoded.x0).toEqual(cached.x0)
})

test('one error lists every unreadable picture', async () => {
  const jpeg = await picture(300, 300).jpeg().toBuffer()
  await put('a/good.png', picture().png().toBuffer())
  await put('a/text.jpg', 'these are words')
  await put('b/half.jpg', jpeg.subarray(0, jpeg.length >> 1))
  await put('b/nothing.webp', '')
  const error = await openImageFolder(folder, { size: 8 }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(ImageFolderError)
  const { message, unreadable } = error as ImageFolderError
  expect(message).toContain(`openImageFolder: 3 of 4 pictures in ${folder} cannot be read\n  `)
  expect(message).toContain('Repair or remove them, or leave them out with skipBad.')
  expect(unreadable.map(({ path }) => path)).toEqual([
    join('a', 'text.jpg'),
    join('b', 'half.jpg'),
    join('b', 'nothing.webp'),
  ])
  for (const { path, reason } of unreadable) expect(message).toContain(`  ${path}: ${reason}`)
})

/** Why each picture of a folder cannot be read, by path. */
async function reasons(): Promise<Record<string, string>> {
  const error = await openImageFolder(folder, { size: 8 }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(ImageFolderError)
  return Object.fromEntries((error as ImageFolderError).unreadable.map(({ path, reason }) => [basename(path), reason]))
}

test('what counts is the content: what is no picture of a kind that is read is unreadable whatever its name', async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/></svg>'
  await put('a/png-named.jpg', picture().png().toBuffer())
  await put('a/svg.png', svg)
  await put('a/svg-with-mark.png', `\ufeff\n  <?xml version="1.0"?>${svg}`)
  await put('a/svg-late.png', `words${' '.repeat(80)}${svg}`)
  await put('a/gif.webp', picture().gif().toBuffer())
  await put('a/tiff.jpg', picture().tiff().toBuffer())
  await put('a/avif.png', picture(16, 16).avif({ effort: 0 }).toBuffer())
  await put('a/heic.png', '\0\0\0\x18ftypheic\0\0\0\0mif1heic')
  await put('a/bmp.png', 'BM and what follows')
  await put('a/pdf.png', '%PDF-1.4')
  await put('a/wave.webp', 'RIFF1234WAVEfmt ')
  await put('a/empty.png', '')
  const isNot = (kind: string) => `its content is ${kind}, not PNG, JPEG, WebP, AVIF, GIF or TIFF`
  expect(await reasons()).toEqual({
    'svg.png': isNot('SVG or other markup'),
    'svg-with-mark.png': isNot('SVG or other markup'),
    'svg-late.png': isNot('of another kind'),
    'heic.png': isNot('AVIF or HEIC'),
    'bmp.png': isNot('BMP'),
    'pdf.png': isNot('PDF'),
    'wave.webp': isNot('of another kind'),
    'empty.png': 'the file is empty',
  })
})

test.skipIf(process.platform === 'win32')(
  'a named pipe is unreadable, also behind a link, and is not opened',
  async () => {
    await put('a/a.png', picture().png().toBuffer())
    execFileSync('mkfifo', [join(folder, 'a', 'pipe.png'), join(folder, 'pipe')])
    await symlink('../pipe', join(folder, 'a', 'to-pipe.png'))
    await symlink('gone.png', join(folder, 'a', 'to-nothing.png'))
    expect(await reasons()).toEqual({
      'pipe.png': 'it is not a regular file',
      'to-pipe.png': 'it is not a regular file',
      'to-nothing.png': expect.stringContaining('ENOENT: no such file') as string,
    })
  },
)

test.skipIf(process.platform === 'win32')('names that do not print are quoted in errors', async () => {
  const [file, shown] = ['1\n2\u001b[31m.png', '"1\\n2\\u001b[31m.png"']
  await put(`a\u202e/${file}`, 'words')
  const error = (await openImageFolder(folder, { size: 8 }).catch((error: unknown) => error)) as ImageFolderError
  expect(error.message.split('\n')[1]).toBe(
    `  "a\\u202e/${shown.slice(1)}: its content is of another kind, not PNG, JPEG, WebP, AVIF, GIF or TIFF`,
  )
  expect(error.unreadable[0].path).toBe(`a\u202e/${file}`)
  await expect(openImageFolder(folder, { size: 8, classes: ['\t'] })).rejects.toThrow(
    String.raw`(missing: "\t"; not expected: "a\u202e")`,
  )
  await expect(openImageFolder('/no\nwhere', { size: 8 })).rejects.toThrow(String.raw`there is no folder "/no\nwhere"`)
  await mkdir(join(folder, 'void\n'))
  await expect(openImageFolder(folder, { size: 8 })).rejects.toThrow(String.raw`void\n" holds no PNG`)
})

test('the error names 20 pictures and counts the rest', async () => {
  for (let i = 0; i < 23; i++) await put(`a/${String(i).padStart(2, '0')}.png`, 'words')
  const error = openImageFolder(folder, { size: 8 })
  await expect(error).rejects.toThrow(/19\.png: .*\n {2}and 3 more\n/)
})

test('skipBad leaves unreadable pictures out, by name', async () => {
  await put('a/1.png', 'words')
  await put('a/2.png', picture().png().toBuffer())
  const { dataset, x0 } = await readAll({ size: 8, skipBad: true })
  expect(dataset.files).toEqual([join('a', '2.png')])
  expect(dataset.skipped.map(({ path }) => path)).toEqual([join('a', '1.png')])
  expectColor(pixel(x0, 8, 0, 0, 0), RED, 0)
  await put('a/2.png', 'words')
  await expect(openImageFolder(folder, { size: 8, skipBad: true })).rejects.toThrow(
    /2 of 2 pictures in .* cannot be read[^]*None is left to train on\./,
  )
})

test('takes the class order of an earlier run and refuses other classes', async () => {
  await put('cat/a.png', picture().png().toBuffer())
  await put('dog/a.png', picture().png().toBuffer())
  const { labels, dataset } = await readAll({ size: 8, classes: ['dog', 'cat'] })
  expect(dataset.classes).toEqual(['dog', 'cat'])
  expect([...labels]).toEqual([1, 0])
  await expect(openImageFolder(folder, { size: 8, classes: ['cat', 'fox'] })).rejects.toThrow(
    `openImageFolder: the classes of ${folder} are not the 2 expected ones (missing: fox; not expected: dog)`,
  )
})

test('says what is wrong with a folder that is none', async () => {
  const open = (path: string) => openImageFolder(join(folder, path), { size: 8 })
  await expect(open('gone')).rejects.toThrow(
    `openImageFolder: there is no folder ${join(folder, 'gone')}; check the path`,
  )
  await expect(open('.')).rejects.toThrow(
    'is empty; put one sub-folder of PNG, JPEG, WebP, AVIF, GIF or TIFF files per class in it',
  )
  await put('flat/a.png', 'x')
  await put('flat/b.txt', 'x')
  await expect(open('flat')).rejects.toThrow(
    'has no class sub-folders (it holds 1 pictures and 1 other files); move the pictures into one sub-folder per class',
  )
  await expect(open('flat/a.png')).rejects.toThrow(
    'is a file; give the folder that holds one sub-folder of pictures per class',
  )
  await mkdir(join(folder, 'full', 'void'), { recursive: true })
  await expect(open('full')).rejects.toThrow('holds no PNG, JPEG, WebP, AVIF, GIF or TIFF files; fill it or remove it')
})

test('reports progress, and stops when told', async () => {
  for (const name of ['1', '2', '3']) await put(`a/${name}.png`, picture().png().toBuffer())
  const seen: number[] = []
  await readAll({ size: 8, onProgress: ({ done, total }) => seen.push(done / total) })
  expect(seen).toEqual([1 / 3, 2 / 3, 1])
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(openImageFolder(folder, { size: 8, signal })).rejects.toThrow('enough')
})

test('a picture that breaks after opening, and a closed dataset, are errors', async () => {
  await put('a/a.png', picture().png().toBuffer())
  const dataset = await openImageFolder(folder, { size: 8, cacheBytes: 0 })
  await truncate(join(folder, 'a', 'a.png'), 40)
  await expect(dataset.read([0])).rejects.toThrow(`${join(folder, 'a', 'a.png')} can no longer be read: `)
  await dataset.close()
  await expect(dataset.read([0])).rejects.toThrow('the dataset is closed')
})

test('refuses options out of range', async () => {
  await expect(openImageFolder(folder, { size: 0 })).rejects.toThrow(
    'openImageFolder: height must be a positive integer (height is 0)',
  )
  await expect(openImageFolder(folder, { size: 8, cacheBytes: -1 })).rejects.toThrow(
    'openImageFolder: cacheBytes must not be negative (cacheBytes is -1)',
  )
  await expect(openImageFolder(folder, { size: 8, maxPixels: 0 })).rejects.toThrow(
    'openImageFolder: maxPixels must be a positive integer (maxPixels is 0)',
  )
  await expect(openImageFolder(folder, { size: 8, background: 'white' })).rejects.toThrow(
    'openImageFolder: background must be a colour such as #ffffff, or null (background is white)',
  )
})
