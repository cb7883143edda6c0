import { describe, expect, test } from 'vitest'
import { evaluate, type MeasureResult, readingOf } from '../src/index.js'
import { madePictures, standIn } from './support/stand-in.js'

const { extractor } = standIn()
const real = madePictures(300, 1)
const training = madePictures(400, 2)
const quick = { extractor, numResamples: 40 }
const of = (measures: readonly MeasureResult[], name: string) => measures.find(({ measure }) => measure === name)!

describe('pictures like the real ones', () => {
  test('are as good as other real ones by every measure, in intervals and floors', async () => {
    const found = await evaluate(madePictures(300, 3), real, { ...quick, training })
    console.log(
      found.measures
        .map((m) =>
          [m.measure, m.value, m.interval?.low, m.interval?.high, m.floor?.value, m.floor?.matched, readingOf(m)].join(
            ' ',
          ),
        )
        .join('\n'),
      found.memorisation,
      found.classes.map((c) => [c.className, c.numReal, c.numGenerated, ...c.measures.map((m) => m.value)].join(' ')),
      found.warnings,
    )
    expect(found.measures.map(({ measure }) => measure)).toEqual([
      'frechet',
      'spatialFrechet',
      'kid',
      'precision',
      'recall',
      'density',
      'coverage',
      'authenticity',
      'vendi',
      'inceptionScore',
    ])
  })
})
test('shift', async () => {
  const found = await evaluate(madePictures(300, 3, { shift: 30 }), real, { ...quick })
  console.log(
    found.measures
      .map((m) =>
        [m.measure, m.value, m.interval?.low, m.interval?.high, m.floor?.value, m.floor?.matched, readingOf(m)].join(
          ' ',
        ),
      )
      .join('\n'),
    found.warnings,
  )
  expect(of(found.measures, 'frechet').value).toBeGreaterThan(0)
})
