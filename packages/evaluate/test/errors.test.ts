import { expect, test } from 'vitest'
import { evaluate, type EvaluateOptions, type Generated, type RealData } from '../src/index.js'
import { featureStatistics } from '@dit/metrics'
import { madePictures, standIn } from './support/stand-in.js'

const { extractor } = standIn()
const samples = madePictures(30, 3)
const real = madePictures(40, 1)

async function refusal(changes: Partial<EvaluateOptions>, data: RealData = real, generated: Generated = samples) {
  return evaluate(generated, data, { extractor, numResamples: 4, ...changes }).then(
    () => 'nothing was refused',
    (error: unknown) => (error as Error).message,
  )
}

test('an unknown layer, measure or class is refused with those that there are', async () => {
  expect(await refusal({ layer: 'pool' })).toBe(
    'evaluate: stand-in has no layer pool; its layers are colours, spatial, logits',
  )
  expect(await refusal({ measures: ['fid' as never] })).toMatch(
    /^evaluate: there is no measure fid; measures are frechet, /,
  )
  expect(await refusal({ classes: ['grey'] })).toBe(
    'evaluate: the real pictures has no class grey; its classes are dark, light',
  )
})

test('a measure that is named and cannot be had is refused with the reason', async () => {
  expect(await refusal({ measures: ['authenticity'] })).toBe(
    'evaluate: authenticity cannot be measured: there is no training set',
  )
  const plain = { ...extractor, logits: null }
  expect(await refusal({ measures: ['inceptionScore'], extractor: plain })).toBe(
    'evaluate: inceptionScore cannot be measured: stand-in is no classifier',
  )
})

test('sets of two sizes are refused', async () => {
  expect(await refusal({}, madePictures(40, 1, { side: 9 }))).toBe(
    'evaluate: pictures of the pictures are 6 x 6, and the real ones 9 x 9; features of two sizes must not be mixed: bring both to one size first',
  )
  async function* stream() {
    yield madePictures(4, 1)
    yield madePictures(4, 1, { side: 9 })
  }
  expect(await refusal({}, real, stream())).toBe(
    'evaluate: pictures of the pictures must have one size; they have 6 x 6 and 9 x 9',
  )
})

test('pictures that are not RGB bytes are refused, grey ones with advice', async () => {
  const grey = { ...samples, pixels: samples.pixels.slice(0, samples.pixels.length / 3) }
  expect(await refusal({}, real, grey)).toBe(
    'evaluate: the pictures must be RGB, 3240 bytes for 30 pictures of 6 x 6 (got 1080); grey pictures must have each byte three times',
  )
  expect(await refusal({}, real, { ...samples, pixels: new Float32Array(3) as never })).toBe(
    'evaluate: the pixels of the pictures must be a Uint8Array',
  )
})

test('a training picture among the real ones is refused with examples, unless it is allowed and then told', async () => {
  const pixels = madePictures(50, 2).pixels
  pixels.set(real.pixels.subarray(0, 2 * 108), 5 * 108)
  const training = { ...madePictures(50, 2), pixels }
  const text =
    '2 of 40 pictures of the real pictures are in the training set the training pictures, too ' +
    '(picture 0 of 40 is picture 5 of 50; picture 1 of 40 is picture 6 of 50)'
  expect(await refusal({ training })).toBe(
    `evaluate: ${text}. A model that copies them would look good, so take them out of one of both, or allow duplicates`,
  )
  const found = await evaluate(samples, real, { extractor, numResamples: 4, training, allowDuplicates: true })
  expect(found.warnings).toContain(text)
  expect(found.memorisation!.numHeldOut).toBe(38)
})

test('a class without real pictures is refused by its name', async () => {
  const three = { ...real, classNames: ['dark', 'light', 'third'] }
  expect(await refusal({}, three)).toBe(
    'evaluate: 1 of 3 classes has no picture in the real pictures: third. Nothing can be said of it: add real pictures, or choose the other classes',
  )
  expect(await refusal({ classes: ['dark', 'light'], measures: ['kid'] }, three)).toBe('nothing was refused')
})

test('too few pictures for neighbourhoods are refused', async () => {
  expect(await refusal({ k: 30 })).toBe(
    'evaluate: precision, recall, density and coverage need more than k = 30 pictures of either set; there are 40 real and 30 generated ones',
  )
})

test('statistics of another extractor, layer or width are refused', async () => {
  const { colours } = await extractor.extract(real)
  const statistics = { pooled: featureStatistics(colours), spatial: null }
  const madeWith = { name: 'stand-in', fingerprint: 'other', layer: 'colours' }
  expect(await refusal({}, { statistics, madeWith })).toBe(
    'evaluate: the statistics was made with the extractor stand-in, and this one is stand-in with other weights; features of two extractors must not be mixed',
  )
  expect(
    await refusal({}, { statistics, madeWith: { ...madeWith, fingerprint: 'stand-in-1', layer: 'spatial' } }),
  ).toBe(
    'evaluate: the statistics was made at layer spatial, and this is colours; features of two layers must not be mixed',
  )
  expect(await refusal({ layer: 'spatial' }, { statistics })).toBe(
    'evaluate: the statistics is of features of 27 numbers, and layer spatial of stand-in has 12; it was made with another extractor or layer',
  )
})

test('statistics of pictures of another size are refused', async () => {
  const { colours } = await extractor.extract(real)
  const statistics = { pooled: featureStatistics(colours), spatial: null }
  const madeWith = { name: 'stand-in', fingerprint: 'stand-in-1', layer: 'colours', size: [8, 8] as const }
  expect(await refusal({}, { statistics, madeWith })).toBe(
    'evaluate: pictures of the pictures are 6 x 6, and the real ones 8 x 8; features of two sizes must not be mixed: bring both to one size first',
  )
})

test('features that are not finite or of another shape are refused', async () => {
  const broken = (data: Float32Array, shape = [30, 27]) => ({
    ...extractor,
    extract: async () => ({ colours: { shape, data } }),
  })
  const measures = ['kid'] as const
  expect(await refusal({ measures, extractor: broken(new Float32Array(30 * 27).fill(NaN)) }, samples)).toBe(
    'evaluate: features of layer colours of stand-in must be finite; picture 0 of a part gives NaN',
  )
  expect(await refusal({ measures, extractor: broken(new Float32Array(30), [30, 1]) }, samples)).toBe(
    'evaluate: layer colours of stand-in must give features [30, 27] (got [30, 1])',
  )
})

test('numbers out of range are refused', async () => {
  expect(await refusal({ numResamples: 1 })).toBe(
    'evaluate: numResamples must be 0, for no intervals, or at least 2 (got 1)',
  )
  expect(await refusal({ level: 1 })).toBe('evaluate: level must lie between 0 and 1 (got 1)')
  expect(await refusal({ count: 1 })).toBe('evaluate: count must be an integer of at least 2 (got 1)')
})
