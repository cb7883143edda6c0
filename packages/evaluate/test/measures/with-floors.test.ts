import { expect, test } from 'vitest'
import { evaluate, readingOf } from '../../src/index.js'
import { takePictures } from '../../src/sets/check-pictures.js'
import { madePictures, standIn } from '../support/stand-in.js'
import type { MeasureName } from '../../src/index.js'
import { resultOf } from '../../src/measures/with-floors.js'

const { extractor } = standIn()

/** The same pictures, one class after the other, as folders and files have them. */
function byClass(made: ReturnType<typeof madePictures>): ReturnType<typeof madePictures> {
  const order = Array.from(made.labels.keys()).toSorted((a, b) => made.labels[a] - made.labels[b])
  const { pixels } = takePictures(made, order)
  return { ...made, pixels: Uint8Array.from(pixels), labels: Int32Array.from(order, (place) => made.labels[place]) }
}

test('as many samples as a floor has are of all classes, although pictures come class by class', async () => {
  const found = await evaluate(byClass(madePictures(200, 3)), byClass(madePictures(200, 1)), {
    extractor,
    numResamples: 40,
    measures: ['frechet', 'kid', 'recall'],
  })
  expect(found.measures.map(({ floor }) => floor!.counts)).toEqual(
    Array.from({ length: 3 }, () => ({ real: 100, generated: 100 })),
  )
  expect(found.measures.map(readingOf)).toEqual(Array.from({ length: 3 }, () => 'as real pictures'))
})

const wide = { low: -0.01, high: 1.02, standardError: 0.3 }
const one = { value: 0.5, interval: wide, counts: { real: 9, generated: 9 }, warnings: [] }

test.each<[MeasureName, number]>([
  ['density', 0],
  ['frechet', 0],
  ['vendi', 1],
  ['kid', -0.01],
])('an interval of %s does not go below what it can be, %d', (name, low) => {
  const { interval, floor } = resultOf(name, one, one, one, { isFid: false, isClip: false })
  expect(interval).toMatchObject({ low, high: 1.02 })
  expect(floor!.interval).toMatchObject({ low, high: 1.02 })
})
