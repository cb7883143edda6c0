import { randomStream, uniforms } from '@dit/random'
import { expect, test } from 'vitest'
import { chanceCopies } from '../src/copies/chance-copies.js'
import { evaluate } from '../src/index.js'
import { madePictures, standIn } from './support/stand-in.js'
import { memorisation } from '../src/copies/memorisation.js'
import { nearHeldOut } from '../src/copies/near-held-out.js'
import { isGrey, pixelRows } from '../src/copies/pixel-rows.js'

const how = {
  numTraining: 9,
  space: 'pixels',
  isMirrored: false,
  resampling: { numResamples: 200, level: 0.95 },
  seed: 0,
} as const
const upTo = (count: number) => Float64Array.from({ length: count }, (_, i) => i + 1)

test('the threshold is the distance that 1 % of held-out pictures are below, and the share is of samples below it', () => {
  // 101 distances 1 .. 101: the 1 % quantile is the second, 2.
  const found = memorisation({ samples: Float64Array.of(0, 1, 2, 3), heldOut: upTo(101), ...how })
  expect(found.threshold).toBe(2)
  expect(found.share).toBe(0.5)
  expect(found.interval.low).toBeLessThan(0.5)
  expect(found.interval.high).toBeGreaterThan(0.5)
})

test('that none of few samples is a copy does not say that none ever is', () => {
  const found = memorisation({ samples: new Float64Array(20).fill(1000), heldOut: upTo(100), ...how })
  expect(found.share).toBe(0)
  expect(found.interval.low).toBe(0)
  // 20 of 20: up to 16 % are compatible with it (Wilson).
  expect(found.interval.high).toBeCloseTo(0.161, 3)
})

test('a sample that is a training picture is a copy, also where held-out pictures are copies themselves', () => {
  const heldOut = upTo(100).map((distance) => (distance < 5 ? 0 : distance))
  const found = memorisation({ samples: Float64Array.of(0, 0, 0, 1), heldOut, ...how })
  expect(found).toMatchObject({ threshold: 0, share: 0.75 })
})

test('chance has a share of its own: about 1 % beside many held-out pictures, more beside few', () => {
  // One of 2 samples and 1 held-out picture is the nearest with the same chance: the share is 0, 1/2 or 1 with a third each.
  expect(chanceCopies({ numSamples: 2, numHeldOut: 1 })).toEqual({ expected: 0.5, most: 1 })
  const many = chanceCopies({ numSamples: 10_000, numHeldOut: 10_000 })
  expect(many.expected).toBeCloseTo(0.01, 3)
  expect(many.most).toBeGreaterThan(0.011)
  expect(many.most).toBeLessThan(0.015)
  // Of samples and held-out pictures that are alike, one evaluation of 40 has more.
  const { expected, most } = chanceCopies({ numSamples: 200, numHeldOut: 50 })
  let mean = 0
  let above = 0
  const distances = uniforms(randomStream(1, 'distances'), 400 * 250)
  for (let run = 0; run < 400; run++) {
    const [samples, heldOut] = [
      distances.slice(run * 250, run * 250 + 200),
      distances.slice(run * 250 + 200, run * 250 + 250),
    ]
    const resampling = { numResamples: 2, level: 0.95 }
    const { share } = memorisation({
      ...how,
      samples: Float64Array.from(samples),
      heldOut: Float64Array.from(heldOut),
      resampling,
    })
    mean += share / 400
    if (share > most) above++
  }
  expect(mean).toBeCloseTo(expected, 2)
  expect(above).toBeLessThan(25)
})

test('held-out pictures that are training pictures in other bytes are told by their files', () => {
  const set = { distances: Float64Array.of(100, 0, 7.9), width: 4, space: 'pixels', files: ['a', 'b', 'c'] } as const
  expect(nearHeldOut(set)).toBe(
    '2 of 3 held-out pictures (b, c) are nearly the same as training pictures, such as compressed anew or mirrored: copies by the model ' +
      'are found less well beside them, so take them out of one of both',
  )
  expect(nearHeldOut({ ...set, space: 'features', files: null })).toMatch(/^1 of 3 held-out pictures is nearly/)
  expect(nearHeldOut({ ...set, distances: Float64Array.of(8.1) })).toBeNull()
})

test('without samples or held-out pictures there is no share', () => {
  expect(() => memorisation({ samples: new Float64Array(), heldOut: upTo(3), ...how })).toThrow(
    'memorisation: there must be samples and held-out pictures (got 0 and 3)',
  )
})

test('pixels are averaged over squares, mirrored and joined to one grey', () => {
  const pixels = Uint8Array.of(0, 30, 60, 10, 40, 70, 20, 50, 80, 30, 60, 90)
  const pictures = { count: 1, height: 2, width: 2, pixels }
  const grey = pixelRows(1, { size: [2, 2], isGrey: true }, true)
  grey.add(0, pictures)
  expect(Array.from(grey.rows.data)).toEqual([30, 40, 50, 60])
  expect(Array.from(grey.mirrored!.data)).toEqual([40, 30, 60, 50])
  const large = { count: 1, height: 64, width: 64, pixels: new Uint8Array(64 * 64 * 3).map((_, i) => i % 3) }
  const colours = pixelRows(1, { size: [64, 64], isGrey: false }, false)
  colours.add(0, large)
  expect(colours.rows.shape).toEqual([1, 32 * 32 * 3])
  expect(Array.from(colours.rows.data.subarray(0, 6))).toEqual([0, 1, 2, 0, 1, 2])
  expect([isGrey(pictures), isGrey({ ...pictures, pixels: new Uint8Array(12) })]).toEqual([false, true])
})

test('pictures that are judged by themselves are told to be', async () => {
  const { extractor } = standIn()
  const real = madePictures(40, 1)
  const options = { extractor, numResamples: 0, measures: ['frechet', 'kid'] as const }
  const found = await evaluate(real, real, options)
  expect(found.measures[0].value).toBeCloseTo(0, 6)
  expect(found.warnings).toContain(
    '40 of 40 pictures of the pictures are pictures of the real pictures, byte for byte: distances come out too small, and the kernel distance below 0',
  )
  expect((await evaluate(madePictures(40, 2), real, options)).warnings).toEqual([])
})

test('mirrored training pictures among the held-out ones do not hide a model that copies', async () => {
  const { extractor } = standIn()
  const training = madePictures(60, 2)
  const { height, width, count } = training
  const mirrored = training.pixels.map((_, i) => {
    const [row, x, c] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width, i % 3]
    return training.pixels[(row * width + width - 1 - x) * 3 + c]
  })
  const held = madePictures(50, 3)
  const real = {
    ...held,
    pixels: Uint8Array.from([
      ...mirrored.subarray(0, 5 * height * width * 3),
      ...held.pixels.subarray(5 * height * width * 3),
    ]),
  }
  const found = await evaluate({ ...training, count }, real, {
    extractor,
    training,
    isMirrored: true,
    numResamples: 10,
    measures: ['kid'],
  })
  expect(found.memorisation).toMatchObject({ share: 1, threshold: 0 })
  expect(found.warnings.join()).toMatch(/5 of 50 held-out pictures are nearly the same as training pictures/)
})
