import { featureStatistics } from '@dit/metrics'
import { expect, test } from 'vitest'
import {
  computeShare,
  evaluate,
  type EvaluatedPipeline,
  evaluateWithRows,
  compareEvaluations,
  memoryStore,
  type SamplingRequest,
} from '../src/index.js'
import { madePictures, standIn } from './support/stand-in.js'

const { extractor } = standIn()
const real = madePictures(60, 1)
const quick = {
  extractor,
  numResamples: 6,
  samplingFingerprint: 'made',
  measures: ['frechet', 'kid', 'precision', 'vendi'] as const,
}

/** A pipeline whose pictures depend on the seed and the batch; it keeps the batches that it drew. */
function made(shift = 0, classNames: readonly string[] = ['dark', 'light']) {
  const drawn: number[] = []
  const requests: SamplingRequest[] = []
  const pipeline: EvaluatedPipeline = {
    classNames,
    async *batches(request, { skip }) {
      requests.push(request)
      const { labels, batchSize, seed } = request
      for (let number = 0; number * batchSize < labels.length; number++) {
        if (skip(number)) continue
        drawn.push(number)
        const count = Math.min(batchSize, labels.length - number * batchSize)
        const { pixels } = madePictures(count, seed * 1000 + number, { shift })
        const pictures = async () =>
          Array.from({ length: count }, (_, i) => ({ width: 6, height: 6, data: pixels.slice(i * 108, (i + 1) * 108) }))
        yield { number, pictures }
      }
    },
  }
  return { pipeline, drawn, requests }
}

test('a pipeline draws the classes of the real pictures, as often', async () => {
  const { pipeline, requests } = made()
  const found = await evaluate(pipeline, real, { ...quick, sampling: { steps: 7 }, seed: 3 })
  expect(found.generated).toMatchObject({ kind: 'model', count: 60, classCounts: found.real.classCounts })
  expect(requests[0]).toMatchObject({ steps: 7, seed: 3, batchSize: 32 })
  expect(found.sampling).toEqual({ steps: 7, seed: 3, batchSize: 32 })
})

test('only the chosen classes are drawn, also where the real data do not say their classes', async () => {
  const { colours } = await extractor.extract(real)
  const statistics = { pooled: featureStatistics(colours), spatial: null }
  const { pipeline, requests } = made(0, ['dark', 'light', 'third'])
  const options = { ...quick, measures: ['frechet'] as const, count: 40 }
  const found = await evaluate(pipeline, { statistics }, { ...options, classes: ['third', 'dark'] })
  expect(new Set(requests[0].labels)).toEqual(new Set([0, 2]))
  expect(found.generated.classNames).toEqual(['third', 'dark'])
  expect(found.generated.classCounts!.reduce((a, b) => a + b)).toBe(40)
  expect(found.warnings).toContain(
    'the statistics does not say the classes of its pictures, so the classes third, dark were sampled alike; differences in their shares count as errors',
  )
  await expect(evaluate(pipeline, { statistics }, { ...options, classes: ['grey'] })).rejects.toThrow(
    'evaluate: the model has no class grey; the classes of the model are dark, light, third',
  )
})

test('two workers draw what one does, and the numbers are the same', async () => {
  const alone = await evaluate(made().pipeline, real, { ...quick, batchSize: 16 })
  const store = memoryStore()
  const workers = [made(), made()]
  for (const [rank, { pipeline }] of workers.entries())
    await computeShare(pipeline, real, { ...quick, batchSize: 16, store }, { rank, size: 2 })
  expect(workers.map(({ drawn }) => drawn)).toEqual([
    [0, 2],
    [1, 3],
  ])
  const last = made()
  expect(await evaluate(last.pipeline, real, { ...quick, batchSize: 16, store })).toEqual(alone)
  expect(last.drawn).toEqual([])
})

test('what was stopped goes on with the batches that are missing', async () => {
  const store = memoryStore()
  const first = made()
  const stop = new AbortController()
  const onProgress = ({ stage, done }: { stage: string; done: number }) => {
    if (stage === 'samples' && done >= 32) stop.abort(new Error('stopped'))
  }
  const options = { ...quick, batchSize: 16, store }
  await expect(evaluate(first.pipeline, real, { ...options, signal: stop.signal, onProgress })).rejects.toThrow(
    'stopped',
  )
  const second = made()
  const found = await evaluate(second.pipeline, real, options)
  expect([...first.drawn, ...second.drawn].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
  expect(found).toEqual(await evaluate(made().pipeline, real, { ...quick, batchSize: 16 }))
})

test('samples of other weights or options are not taken from the store', async () => {
  const store = memoryStore()
  await evaluate(made().pipeline, real, { ...quick, store })
  const others = [
    { samplingFingerprint: 'other' },
    { sampling: { steps: 2 } },
    { seed: 1 },
    { samplingFingerprint: undefined },
  ]
  for (const changes of others) {
    const again = made()
    await evaluate(again.pipeline, real, { ...quick, store, ...changes })
    expect(again.drawn).toEqual([0, 1])
  }
})

test('a model that lacks a class of the real pictures, or makes another size, is refused', async () => {
  await expect(evaluate(made(0, ['dark', 'bright']).pipeline, real, quick)).rejects.toThrow(
    'evaluate: the model has no class light, which the real pictures has; the classes of the model are dark, bright. Choose classes that both have',
  )
  await expect(evaluate(made().pipeline, madePictures(60, 1, { side: 9 }), quick)).rejects.toThrow(
    'evaluate: pictures of the model are 6 x 6, and the real ones 9 x 9',
  )
  const found = await evaluate(made(0, ['dark', 'light', 'other']).pipeline, real, { ...quick, seed: 1 })
  expect(found.warnings).toEqual(['classes of the model without real pictures are not sampled: other'])
})

test('pairs of the same seed and classes have narrower intervals, and a worse model loses', async () => {
  const options = { ...quick, numResamples: 60, names: { generated: { name: 'a' } } }
  const [a, b] = [
    await evaluateWithRows(made().pipeline, real, options),
    await evaluateWithRows(made(25).pipeline, real, options),
  ]
  const paired = compareEvaluations(a, b, { numResamples: 60 })
  expect(paired.isPaired).toBe(true)
  const frechet = paired.measures.find(({ measure }) => measure === 'frechet')!
  expect(frechet.winner).toBe('first')
  expect(frechet.difference).toBe(frechet.second - frechet.first)
  const other = await evaluateWithRows(made(25).pipeline, real, { ...options, seed: 1 })
  expect(compareEvaluations(a, other).isPaired).toBe(false)
  const kid = (comparison: typeof paired) => comparison.measures.find(({ measure }) => measure === 'kid')!.interval!
  expect(kid(paired).high - kid(paired).low).toBeLessThan(1)
  // The same evaluation twice differs by nothing, in every resample.
  for (const { difference, interval } of compareEvaluations(a, a, { numResamples: 20 }).measures) {
    expect(difference).toBe(0)
    expect([interval!.low, interval!.high]).toEqual([0, 0])
  }
})

test('evaluations by other extractors, counts or real pictures are not compared', async () => {
  const a = await evaluateWithRows(made().pipeline, real, quick)
  const refusal = async (data: typeof real, changes: object) => {
    const b = await evaluateWithRows(made().pipeline, data, { ...quick, ...changes })
    return () => compareEvaluations(a, b)
  }
  expect(await refusal(real, { extractor: standIn({ fingerprint: '2' }).extractor })).toThrow(
    'compareEvaluations: both must have an extractor of the same weights; the model has stand-in-1, and the model 2',
  )
  expect(await refusal(real, { layer: 'spatial' })).toThrow(
    'both must have the same layer; the model has colours, and the model spatial',
  )
  expect(await refusal(real, { count: 40 })).toThrow(
    'both must have as many samples; the model has 60, and the model 40',
  )
  expect(await refusal(madePictures(60, 7), { count: 60 })).toThrow('both must have the same real pictures')
})

test('evaluations whose values are not those of their rows are not compared: edited, swapped, or by another k', async () => {
  const options = { ...quick, k: 3 }
  const a = await evaluateWithRows(made().pipeline, real, options)
  const b = await evaluateWithRows(made(25).pipeline, real, options)
  expect(compareEvaluations(a, b, { k: 3, numResamples: 4 }).measures).toHaveLength(4)
  expect(() => compareEvaluations(a, b, { k: 12 })).toThrow(
    /^compareEvaluations: precision of the model is \S+ in its evaluation, and \S+ of its rows; give the k that it was measured with, which is not 12;/,
  )
  const swapped = { evaluation: a.evaluation, rows: b.rows }
  expect(() => compareEvaluations(swapped, b, { k: 3 })).toThrow(
    /frechet of the model is \S+ in its evaluation, and \S+ of its rows; one of them was changed, or both are of two evaluations/,
  )
  const measures = a.evaluation.measures.map((one) => (one.measure === 'kid' ? { ...one, value: -1 } : one))
  const edited = { ...a, evaluation: { ...a.evaluation, measures } }
  expect(() => compareEvaluations(b, edited, { k: 3 })).toThrow('kid of the model is -1 in its evaluation')
  const fewer = { ...a, evaluation: { ...a.evaluation, generated: { ...a.evaluation.generated, count: 30 } } }
  expect(() => compareEvaluations(fewer, fewer)).toThrow(
    'the rows of the model are [60, 27], and its evaluation has 30 samples of 27 numbers; they are of two evaluations',
  )
})
