import { inflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { columnsOf, gridOf } from '../../src/playground/grid.js'
import { describe, fileName, pictureFile } from '../../src/playground/picture-file.js'
import { hashToSettings, type Settings } from '../../src/playground/settings.js'
import { chunksOf, textsOf } from './read-png.js'

const settings: Settings = {
  model: 'heroes',
  className: 'deep elf',
  guidance: 1.5,
  steps: 12,
  solver: 'unipc',
  seed: 7,
  count: 4,
  engine: 'auto',
  start: '',
  strength: 0.6,
}
/** A picture of one colour, 2 x 1. */
const plain = (value: number) => ({
  width: 2,
  height: 1,
  data: Uint8ClampedArray.of(value, value, value, 255, value, value, value, 255),
})

test('a grid is as square as it can be, row by row, and transparent where nothing stands', () => {
  expect([1, 2, 4, 5, 9, 16].map(columnsOf)).toEqual([1, 2, 2, 3, 3, 4])
  const { width, height, data } = gridOf([1, 2, 3].map(plain))
  expect([width, height]).toEqual([4, 2])
  const reds = Array.from({ length: 8 }, (_, i) => data[4 * i])
  const alphas = Array.from({ length: 8 }, (_, i) => data[4 * i + 3])
  expect(reds).toEqual([1, 1, 2, 2, 3, 3, 0, 0])
  expect(alphas).toEqual([255, 255, 255, 255, 255, 255, 0, 0])
})

test('a saved file has all pictures, and the settings and the link that repeat them', async () => {
  const page = 'http://somewhere/dit/playground.html'
  const pictures = [10, 20, 30, 40].map(plain)
  const file = await pictureFile({ pictures, settings, engine: 'WebAssembly, one thread' }, page)
  const texts = textsOf(file)
  expect(texts).toEqual({
    Software: 'dit',
    Description: 'heroes: deep elf, 4 pictures, seed 7, guidance 1.5, 12 steps of unipc; WebAssembly, one thread',
    Source: `${page}#${texts['dit']}`,
    dit: 'model=heroes&class=deep+elf&seed=7&count=4&guidance=1.5&steps=12&solver=unipc',
  })
  expect(hashToSettings(new URL(texts['Source']).hash, [{ ...settings, seed: 0, className: '' }]).settings).toEqual(
    settings,
  )
  const data = chunksOf(file).find(({ type }) => type === 'IDAT')!.body
  // Each row: its filter (1, differences to the left), then RGB of four pixels.
  const row = (left: number, right: number) => [
    1,
    left,
    left,
    left,
    0,
    0,
    0,
    right - left,
    right - left,
    right - left,
    0,
    0,
    0,
  ]
  expect([...inflateSync(data)]).toEqual([...row(10, 20), ...row(30, 40)])
})

test('its name says what is in it, in letters that every system takes', () => {
  expect(fileName(settings)).toBe('heroes-deep-elf-seed-7.png')
  expect(fileName({ ...settings, className: '' })).toBe('heroes-seed-7.png')
  expect(fileName({ ...settings, className: 'T-shirt/top: "größe"' })).toBe('heroes-T-shirt-top-größe-seed-7.png')
})

test('pictures are described in a line', () => {
  expect(describe({ ...settings, className: '', count: 1 })).toBe('heroes: classes at random, one picture, seed 7')
  expect(describe({ ...settings, start: 'Y2A', strength: 0.35 })).toBe(
    'heroes: deep elf, 4 pictures, seed 7, from a picture with strength 0.35',
  )
})
