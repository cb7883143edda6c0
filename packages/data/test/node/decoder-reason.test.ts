import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { decoderReason } from '../../src/node/decoder-reason.js'

test('a broken picture has one reason, in a file and in memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dit-decoder-'))
  const raw = { width: 64, height: 64, channels: 3 } as const
  const png = await sharp(new Uint8Array(64 * 64 * 3), { raw })
    .png({ compressionLevel: 0 })
    .toBuffer()
  const jpeg = await sharp(new Uint8Array(64 * 64 * 3), { raw })
    .jpeg()
    .toBuffer()
  const cut = (bytes: Buffer, length: number) => bytes.subarray(0, length)
  for (const bytes of [cut(png, 20), cut(png, png.length >> 1), cut(jpeg, 12), cut(jpeg, jpeg.length >> 1)]) {
    const path = join(folder, 'broken')
    await writeFile(path, bytes)
    const reasonOf = (input: string | Buffer) =>
      sharp(input, { failOn: 'error' })
        .raw()
        .toBuffer()
        .then(() => 'none', decoderReason)
    const [inFile, inMemory] = [await reasonOf(path), await reasonOf(bytes)]
    expect(inFile).toMatch(/^it is damaged or cut short(?: \([^:]+.*\))?$/)
    expect(inMemory).toBe(inFile)
  }
  await rm(folder, { recursive: true })
})

test('what is no error of the decoder keeps its own words, on one line', () => {
  expect(decoderReason(new Error('ENOENT: no such file or directory'))).toBe('ENOENT: no such file or directory')
  expect(decoderReason('two\nlines')).toBe('two lines')
  expect(decoderReason(new Error('pngload_buffer: end of stream'))).toBe('it is damaged or cut short (end of stream)')
})
