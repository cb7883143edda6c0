import { frechetDistance } from '@dit/metrics'
import { integers, normals, randomStream } from '@dit/random'
import { describe, expect, test } from 'vitest'
import type { Pictures } from '../../src/extractor.js'
import { smallExtractor } from '../../src/small/small-extractor.js'

/** Random discs on a ground: drawn pictures with edges and flat places. */
function discs(count: number, height: number, width: number, seed = 0): Pictures {
  const pixels = new Uint8Array(count * height * width * 3)
  for (let i = 0; i < count; i++) {
    const [cx, cy, r, ...colours] = integers(randomStream(seed, 'disc', i), 256, 9)
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [dx, dy] = [x / width - 0.25 - cx / 512, y / height - 0.25 - cy / 512]
        const first = dx * dx + dy * dy < (0.1 + r / 1024) ** 2 ? 0 : 3
        for (let c = 0; c < 3; c++) pixels[((i * height + y) * width + x) * 3 + c] = colours[first + c]
      }
    }
  }
  return { count, height, width, pixels }
}

function withPixels(pictures: Pictures, level: (value: number, at: number) => number): Pictures {
  return { ...pictures, pixels: new Uint8Array(Uint8ClampedArray.from(pictures.pixels, level).buffer) }
}

test('is named for what it is, and holds no classifier', () => {
  const { name, fingerprint, layers, defaultLayer, logits } = smallExtractor()
  expect([name, fingerprint, defaultLayer, logits]).toEqual(['small', 'small-1', 'all', null])
  expect(layers).toEqual([
    { name: 'all', width: 142 },
    { name: 'layout', width: 27 },
    { name: 'edges', width: 115 },
  ])
})

describe('the definition of small-1, as first made: other numbers need another fingerprint', () => {
  test('some numbers of a picture', async () => {
    const { all } = await smallExtractor().extract(discs(3, 28, 28))
    const expected = [
      [0, 1.8185312747955322],
      [16, 0.6274510025978088],
      [20, 1.830065369606018],
      [24, -2.6050148010253906],
      [27, -3.9633920192718506],
      [31, -2.68021821975708],
      [51, -2.095463514328003],
      [77, -4.882051944732666],
      [101, -1.057080626487732],
      [102, -1.7217299938201904],
      [141, -1.0267857313156128],
    ]
    expect(expected.map(([column]) => [column, all.data[column]])).toEqual(expected)
  })

  test.each([
    [28, 28, 'e43ed440'],
    [37, 61, '688f04ad'],
  ])('all bits of three pictures of %i x %i', async (height, width, expected) => {
    const { all } = await smallExtractor().extract(discs(3, height, width))
    expect(hash(all.data as Float32Array)).toBe(expected)
  })
})

test('the layout of a plain picture, by hand', async () => {
  const plain = withPixels(discs(1, 16, 16), (_, at) => [255, 102, 51][at % 3])
  const { layout, edges } = await smallExtractor().extract(plain, ['layout', 'edges'])
  const light = (408 / 765 - 0.5) / 0.17
  const [redGreen, yellowBlue] = [153 / 255 / 0.1, (357 - 102) / 510 / 0.12]
  const row = [...layout.data]
  for (let i = 0; i < 16; i++) expect(row[i]).toBeCloseTo(light, 5)
  for (let i = 16; i < 20; i++) expect(row[i]).toBeCloseTo(redGreen, 5)
  for (let i = 20; i < 24; i++) expect(row[i]).toBeCloseTo(yellowBlue, 5)
  expect(row.slice(24)).toEqual([-0.3 / 0.06, -0.1 / 0.07, -0.1 / 0.07].map(Math.fround))
  // Without edges all edge columns lie below their centre.
  expect(Math.max(...edges.data)).toBeLessThan(0)
})

test('layers are parts of all', async () => {
  const { all, layout, edges } = await smallExtractor().extract(discs(5, 20, 24), ['edges', 'all', 'layout'])
  for (let i = 0; i < 5; i++) {
    const parts = [...layout.data.subarray(i * 27, (i + 1) * 27), ...edges.data.subarray(i * 115, (i + 1) * 115)]
    expect(parts).toEqual([...all.data.subarray(i * 142, (i + 1) * 142)])
  }
})

test('a picture has the same numbers by itself and among 600', async () => {
  const many = discs(600, 9, 8)
  const one = { ...many, count: 1, pixels: many.pixels.slice(599 * 9 * 8 * 3) }
  const [{ all }, { all: alone }] = [await smallExtractor().extract(many), await smallExtractor().extract(one)]
  expect([...all.data.subarray(599 * 142)]).toEqual([...alone.data])
})

test('no pictures are no rows; the smallest and a wide picture give finite numbers', async () => {
  const { all } = await smallExtractor().extract(discs(0, 8, 8))
  expect(all.shape).toEqual([0, 142])
  for (const [height, width] of [
    [8, 8],
    [9, 300],
    [128, 17],
  ]) {
    const found = await smallExtractor().extract(discs(2, height, width))
    expect(found.all.data.every((value) => Number.isFinite(value))).toBe(true)
  }
})

test('no level of pixels leaves the range of float32: a chequered picture', async () => {
  const chequered = withPixels(discs(1, 16, 16), (_, at) => ((Math.floor(at / 3) + Math.floor(at / 48)) % 2) * 255)
  const { all } = await smallExtractor().extract(chequered)
  expect(Math.max(...all.data.map(Math.abs))).toBeLessThan(100)
})

test('distances grow with noise, and the weakest is clear of the floor', async () => {
  const [real, other] = [discs(120, 16, 16, 1), discs(120, 16, 16, 2)]
  const drawn = normals(randomStream(3, 'noise'), other.pixels.length)
  const noisy = (sigma: number) => withPixels(other, (value, at) => value + sigma * drawn[at])
  const { all } = await smallExtractor().extract(real)
  const distances = []
  for (const set of [other, noisy(2), noisy(8)])
    distances.push(frechetDistance(all, (await smallExtractor().extract(set)).all).distance)
  expect(distances).toEqual(distances.toSorted((a, b) => a - b))
  expect(distances[1]).toBeGreaterThan(1.5 * distances[0])
})

describe('errors say what must hold', () => {
  const pictures = discs(2, 8, 8)
  test.each<[string, Pictures, readonly string[] | undefined, string]>([
    ['a layer', pictures, ['pool'], 'layers must be among all, layout, edges; one is pool'],
    ['a side', { ...pictures, height: 7 }, undefined, 'pictures must be at least 8 x 8; they are 7 x 8'],
    ['half a pixel', { ...pictures, width: 8.5 }, undefined, 'pictures must be at least 8 x 8; they are 8 x 8.5'],
    ['a count', { ...pictures, count: -1 }, undefined, 'count must be an integer of at least 0; it is -1'],
    ['bytes', { ...pictures, count: 3 }, undefined, '3 RGB pictures of 8 x 8 need 576 bytes; there are 384'],
  ])('%s', async (_, set, layers, text) => {
    await expect(smallExtractor().extract(set, layers)).rejects.toThrow(new RangeError(`smallExtractor: ${text}`))
  })

  test('the kind of pixels', async () => {
    const floats = { ...pictures, pixels: Float32Array.from(pictures.pixels) as unknown as Uint8Array }
    await expect(smallExtractor().extract(floats)).rejects.toThrow(
      new TypeError('smallExtractor: pixels must be a Uint8Array'),
    )
  })
})

/** FNV-1a of the bits. */
function hash({ buffer, byteOffset, byteLength }: Float32Array): string {
  let value = 0x811c9dc5
  for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) value = Math.imul(value ^ byte, 0x01000193)
  return (value >>> 0).toString(16)
}
