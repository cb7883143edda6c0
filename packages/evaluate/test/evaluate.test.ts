import { describe, expect, test } from 'vitest'
import { type Evaluation, evaluate, type MeasureResult, memoryStore, readingOf, USUAL_MEASURES } from '../src/index.js'
import { madePictures, standIn } from './support/stand-in.js'

const { extractor } = standIn()
const real = madePictures(150, 1)
const training = madePictures(200, 2)
const quick = { extractor, numResamples: 30 }
const of = ({ measures }: Evaluation, name: string): MeasureResult => measures.find(({ measure }) => measure === name)!

describe('pictures like the real ones', async () => {
  const found = await evaluate(madePictures(150, 3), real, { ...quick, training })

  test('have every usual measure, with intervals around the values', () => {
    expect(found.measures.map(({ measure }) => measure)).toEqual(USUAL_MEASURES)
    for (const { value, interval } of found.measures) {
      expect(interval!.low).toBeLessThanOrEqual(value)
      expect(interval!.high).toBeGreaterThanOrEqual(value)
    }
  })

  test('are told from other real ones by no measure but by chance, whose floors have as many pictures', () => {
    const readings = found.measures.map(readingOf)
    expect(readings.filter((reading) => reading === 'as real pictures').length).toBeGreaterThanOrEqual(9)
    expect(of(found, 'frechet').floor).toMatchObject({
      counts: { real: 150, generated: 150 },
      matched: of(found, 'frechet').value,
    })
  })

  test('are copies about as often as held-out ones: 1 in 100', () => {
    expect(found.memorisation!.share).toBeLessThan(0.05)
    expect(found.memorisation).toMatchObject({ space: 'pixels', numTraining: 200, numHeldOut: 150, numSamples: 150 })
  })

  test('have a table of classes, and names for all that was compared', () => {
    expect(found.classes.map(({ className }) => className)).toEqual(['dark', 'light'])
    expect(found.classes[0].measures.map(({ measure }) => measure)).toEqual(['kid', 'precision', 'recall'])
    expect(found.extractor).toEqual({ name: 'stand-in', fingerprint: 'stand-in-1', layer: 'colours', width: 27 })
    expect(found.generated).toMatchObject({ count: 150, size: [6, 6], classNames: ['dark', 'light'] })
    expect(of(found, 'frechet').title).toBe('Fréchet distance')
  })
})

test('pictures that are lighter than real ones are farther than the floor, which halves of the real ones give', async () => {
  const found = await evaluate(madePictures(150, 3, { shift: 40 }), real, quick)
  expect(readingOf(of(found, 'frechet'))).toMatch(/times the floor|above the floor/)
  expect(readingOf(of(found, 'precision'))).toMatch(/% of real$/)
  expect(of(found, 'kid').floor!.counts).toEqual({ real: 75, generated: 75 })
  // The matched value is of 75 samples, so it is another.
  expect(of(found, 'frechet').floor!.matched).not.toBe(of(found, 'frechet').value)
  expect(found.memorisation).toBeNull()
})

test('samples that are training pictures are found, mirrored ones only if they are looked for', async () => {
  const { count, height, width, labels, classNames } = training
  const copies = { ...training, count, labels, classNames }
  const pixels = training.pixels.slice()
  for (let row = 0; row < count * height; row++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++)
        pixels[(row * width + x) * 3 + c] = training.pixels[(row * width + width - 1 - x) * 3 + c]
    }
  }
  const few = { ...quick, training, measures: ['authenticity'] as const }
  const plain = await evaluate(copies, real, few)
  expect(plain.memorisation!.share).toBe(1)
  expect(of(plain, 'authenticity').value).toBe(0)
  const mirrored = await evaluate({ ...copies, pixels }, real, few)
  expect(mirrored.memorisation!.share).toBeLessThan(0.2)
  const found = await evaluate({ ...copies, pixels }, real, { ...few, isMirrored: true })
  expect(found.memorisation).toMatchObject({ share: 1, isMirrored: true })
})

test('the same arguments give the same numbers, and what a store has is not extracted again', async () => {
  const counted = standIn()
  const store = memoryStore()
  const options = { ...quick, extractor: counted.extractor, store, measures: ['frechet', 'kid', 'vendi'] as const }
  const first = await evaluate(madePictures(60, 3), real, options)
  const once = counted.extracted
  expect(once).toBe(210)
  expect(await evaluate(madePictures(60, 3), real, options)).toEqual(first)
  expect(counted.extracted).toBe(once)
  // One picture that was changed: its part is taken again.
  const changed = { ...real, pixels: real.pixels.slice() }
  changed.pixels[0] ^= 255
  const second = await evaluate(madePictures(60, 3), changed, options)
  expect(counted.extracted).toBe(once + 150)
  expect(second.real.fingerprint).not.toBe(first.real.fingerprint)
})

test('statistics give the distances that they suffice for, and say what cannot be had', async () => {
  const side = async (pictures: typeof real) => (await extractor.extract(pictures)).colours
  const { featureStatistics } = await import('@dit/metrics')
  const pooled = featureStatistics(await side(real))
  const found = await evaluate(madePictures(150, 3), { statistics: { pooled, spatial: null } }, quick)
  expect(found.measures.map(({ measure }) => measure)).toEqual(['frechet', 'vendi', 'inceptionScore'])
  expect(found.warnings).toEqual([
    'not measured: spatialFrechet, as the statistics have no spatial part',
    'not measured: kid, precision, recall, density, coverage, as the real data are statistics, which hold means and covariances but no pictures',
    'the statistics does not say with which extractor, layer and size of pictures it was made; values mean something only if these are the same',
  ])
  const madeWith = { name: 'stand-in', fingerprint: 'stand-in-1', layer: 'colours', size: [6, 6] as const }
  const known = await evaluate(madePictures(150, 3), { statistics: { pooled, spatial: null }, madeWith }, quick)
  expect(known.warnings).toEqual(found.warnings.slice(0, 2))
  const whole = await evaluate(madePictures(150, 3), real, { ...quick, measures: ['frechet'] })
  expect(of(found, 'frechet').value).toBeCloseTo(of(whole, 'frechet').value, 10)
})
