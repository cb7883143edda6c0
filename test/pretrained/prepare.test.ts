import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Dataset } from '@dit/data'
import { randomStream, uint32s } from '@dit/random'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SPECIES } from '../../tools/data-sets/heroes-dataset.mjs'
import { garments } from '../../tools/pretrained/garments.js'
import { heroes } from '../../tools/pretrained/heroes.js'
import { readPictures } from '../../tools/pretrained/pictures.js'

const folder = mkdtempSync(join(tmpdir(), 'dit-prepare-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const LAYERS = ['cloak', 'base', 'boots', 'legs', 'body', 'gloves', 'hand1', 'hand2', 'hair', 'beard', 'head']
const player = join(folder, 'crawl-1', 'rltiles', 'player')

/** Parts of a pixel or two: three of each kind, one body of each species. */
beforeAll(async () => {
  for (const [i, layer] of LAYERS.entries()) {
    mkdirSync(join(player, layer), { recursive: true })
    const names = layer === 'base' ? Object.keys(SPECIES) : ['a', 'b', 'c']
    if (layer === 'hand1') names.push('demonblade')
    for (const [j, name] of names.entries()) {
      const raw = { width: 32, height: 32, channels: 4 } as const
      const pixels = new Uint8Array(4 * 32 * 32)
      pixels.set([9 * i, 10 * j, 50, 255], 4 * (i * 64 + j))
      await sharp(pixels, { raw })
        .png()
        .toFile(join(player, layer, `${name}.png`))
    }
  }
})

const foldersIn = (name: string) => {
  const work = join(folder, name)
  mkdirSync(work)
  return { work, heldOut: join(work, 'held-out'), training: join(work, 'training') }
}
const SIZES = { steps: 10, batch: 17, heldOutPerClass: 3, trainingPerClass: 4 }
const rowsOf = (pixels: Uint8Array, count: number) =>
  Array.from({ length: count }, (_, i) =>
    pixels.subarray((i * pixels.length) / count, ((i + 1) * pixels.length) / count).join(),
  )

test.each([
  ['a folder of parts', () => player],
  [
    'a source package',
    () => {
      const file = join(folder, 'crawl_1.orig.tar')
      execFileSync('tar', ['cf', file, '-C', folder, 'crawl-1'])
      return file
    },
  ],
])('heroes are made of %s without the unclear tile, and none that is held out is trained on', async (name, source) => {
  const folders = foldersIn(name)
  const { data, numTraining } = await heroes.prepare(source(), SIZES, folders)
  expect(numTraining).toBe(170)
  expect(readdirSync(join(folders.work, 'parts', 'hand1')).toSorted()).toEqual(['a.png', 'b.png', 'c.png'])
  expect(existsSync(join(player, 'hand1', 'demonblade.png'))).toBe(true)
  const { dataset } = (await import(pathToFileURL(data).href)) as { readonly dataset: () => Promise<Dataset> }
  const stream = await dataset()
  const { x0 } = await stream.read(Array.from({ length: stream.length }, (_, i) => i))
  // Planes of [-1, 1] as bytes of RGB.
  const area = 32 * 32
  const bytes = Uint8Array.from({ length: x0.length }, (_, at) => {
    const [picture, inside] = [Math.floor(at / (3 * area)), at % (3 * area)]
    return Math.round((x0[picture * 3 * area + (inside % 3) * area + Math.floor(inside / 3)] + 1) * 127.5)
  })
  const trained = new Set(rowsOf(bytes, stream.length))
  const held = await readPictures(folders.heldOut, 32)
  const rows = rowsOf(held.pixels, held.count)
  expect(held.count).toBe(17 * 3)
  expect(new Set(rows).size).toBe(held.count)
  expect(rows.filter((row) => trained.has(row))).toEqual([])
  const shown = await readPictures(folders.training, 32)
  expect(shown.count).toBe(17 * 4)
  expect(rowsOf(shown.pixels, shown.count).filter((row) => !trained.has(row))).toEqual([])
})

test.each([
  ['/nowhere/at-all', 'heroes: there is no file or folder /nowhere/at-all'],
  [folder, 'has no folder `player` with the folders base and cloak in it'],
])('heroes of %s are refused', async (source, problem) => {
  const empty = source === folder ? mkdtempSync(join(folder, 'empty-')) : source
  const folders = foldersIn(`refused-${problem.length}`)
  await expect(heroes.prepare(empty, SIZES, folders)).rejects.toThrow(problem)
})

test('garments are trained on as they were photographed, and the first of each class of the test part are held out', async () => {
  const source = join(folder, 'idx')
  mkdirSync(source)
  const idx = (magic: readonly number[], sides: readonly number[], data: Uint8Array) =>
    gzipSync(
      Buffer.concat([
        Uint8Array.from([0, 0, 8, ...magic]),
        ...sides.map((side) => Uint8Array.of(0, 0, side >> 8, side)),
        data,
      ]),
    )
  const stored = new Map<string, Uint8Array>()
  for (const [part, count] of [
    ['train', 40],
    ['t10k', 50],
  ] as const) {
    const pixels = Uint8Array.from(uint32s(randomStream(count, part), count * 784), (value) => value & 255)
    stored.set(part, pixels)
    writeFileSync(join(source, `${part}-images-idx3-ubyte.gz`), idx([3], [count, 28, 28], pixels))
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10)
    writeFileSync(join(source, `${part}-labels-idx1-ubyte.gz`), idx([1], [count], labels))
  }
  const folders = foldersIn('garments')
  expect(await garments.prepare(source, SIZES, folders)).toMatchObject({ data: folders.training, numTraining: 40 })
  const held = await readPictures(folders.heldOut, 28)
  expect(held.count).toBe(10 * 3)
  // Class 0 is the T-shirt: numbers 0, 10 and 20.
  const first = held.labels.indexOf(held.classes.indexOf('t-shirt'))
  const picture = held.pixels.subarray(first * 3 * 784, (first + 1) * 3 * 784)
  const wanted = Array.from(stored.get('t10k')!.subarray(0, 784), (value) => 255 - value)
  expect(Array.from(picture).filter((_, i) => i % 3 === 0)).toEqual(wanted)
})
