import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { centerCrop } from '../../src/crop/center-crop.js'
import { bicubicFilter, boxFilter, resample } from '../../src/crop/resample.js'

interface Stored {
  cases: { width: number; height: number; size: number; crop: string }[]
}

const stored = JSON.parse(readFileSync(new URL('../fixtures/pillow-crop.json', import.meta.url), 'utf8')) as Stored

/** The same picture that tools/oracle/pillow-crop.py starts from. */
function source(width: number, height: number) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const noise = (Math.imul(i, 2654435761) + width * 40503 + height * 65599) >>> 24
    return (noise + Math.floor(((Math.floor(i / 3) % width) * 255) / width)) >> 1
  })
  return { data, width, height }
}

test.each(stored.cases)(
  'crops $width x $height to $size as Pillow does, to the bit',
  ({ width, height, size, crop }) => {
    const got = centerCrop(source(width, height), size, size)
    expect(got).toMatchObject({ width: size, height: size })
    expect(Buffer.from(got.data).equals(Buffer.from(crop, 'base64'))).toBe(true)
  },
)

test('leaves a picture of the target size alone', () => {
  const image = source(12, 9)
  expect(centerCrop(image, 9, 12).data).toEqual(image.data)
})

test('cuts the middle out of a wide picture for a tall target', () => {
  const data = new Uint8Array(8 * 4 * 3)
  for (let i = 0; i < data.length; i++) data[i] = Math.floor(i / 3) % 8
  // 8 x 4 covers 2 x 4 (width x height) already: columns 3 and 4 stay.
  expect([...centerCrop({ data, width: 8, height: 4 }, 4, 2).data.subarray(0, 6)]).toEqual([3, 3, 3, 4, 4, 4])
})

test('box halving averages two by two, rounding halves up after each pass', () => {
  const grey = [10, 11, 20, 22]
  const data = Uint8Array.from(grey.flatMap((value) => [value, value, value]))
  // Rows: (10 + 11) / 2 = 10.5 -> 11 and (20 + 22) / 2 = 21; columns: (11 + 21) / 2 = 16.
  expect([...resample({ data, width: 2, height: 2 }, 1, 1, boxFilter).data]).toEqual([16, 16, 16])
})

test('the cubic kernel is 1 at 0, 0 at other whole numbers, and sums to 1', () => {
  expect([0, 1, -1, 2].map((distance) => bicubicFilter.weight(distance))).toEqual([1, 0, 0, 0])
  expect(bicubicFilter.weight(0.5)).toBe(0.5625)
  for (const offset of [0.1, 0.37, 0.8]) {
    const sum = [-2, -1, 0, 1].reduce((total, k) => total + bicubicFilter.weight(k + offset), 0)
    expect(sum).toBeCloseTo(1, 12)
  }
})

test.each([
  [37, 23, 61, 40],
  [37, 23, 12, 9],
  [16, 16, 16, 31],
  [16, 16, 7, 16],
])('a window of %i x %i resized to %i x %i is cut from the whole', (oldWidth, oldHeight, width, height) => {
  const image = source(oldWidth, oldHeight)
  const whole = resample(image, width, height, bicubicFilter)
  const window = { left: 2, top: 3, width: 4, height: 5 }
  const part = resample(image, width, height, bicubicFilter, window)
  const rows = Array.from({ length: 5 }, (_, row) => {
    const from = ((3 + row) * width + 2) * 3
    return [...whole.data.subarray(from, from + 12)]
  })
  expect(part).toMatchObject({ width: 4, height: 5 })
  expect([...part.data]).toEqual(rows.flat())
})

test('a line of a million pixels is cropped without enlarging all of it', () => {
  const height = 1_000_000
  const data = new Uint8Array(height * 3).fill(90)
  data.fill(200, (height / 2) * 3)
  const { data: crop } = centerCrop({ data, width: 1, height }, 64, 64)
  expect([crop[0], crop.at(-1)]).toEqual([90, 200])
})
