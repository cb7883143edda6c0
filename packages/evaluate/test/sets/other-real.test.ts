import { expect, test } from 'vitest'
import { evaluate, readingOf } from '../../src/index.js'
import { classCounts, pictureSet } from '../../src/sets/picture-set.js'
import { otherReal } from '../../src/sets/other-real.js'
import { madePictures, standIn } from '../support/stand-in.js'

const { extractor } = standIn()

/** Pictures of which so many are of each class. */
async function setOf(labels: readonly number[], classNames: readonly string[]) {
  const pictures = madePictures(labels.length, 1, { classes: 3 })
  return pictureSet({ ...pictures, labels: Int32Array.from(labels), classNames }, 'pictures')
}

const times = (count: number, label: number) => Array.from({ length: count }, () => label)

test('classes are as frequent as among the real pictures, matched by their names', async () => {
  const real = await setOf([...times(30, 0), ...times(10, 1)], ['light', 'dark'])
  const training = await setOf([...times(60, 0), ...times(60, 1), ...times(60, 2)], ['dark', 'light', 'third'])
  const others = otherReal(real, training, 20, 0)!
  expect(classCounts(others)).toEqual([5, 15, 0])
  // As many as there are samples, however these divide.
  expect(otherReal(real, training, 21, 0)!.count).toBe(21)
})

test('there are as many as the rarest class allows; without a class, or with too few, there are none', async () => {
  const real = await setOf([...times(20, 0), ...times(20, 1)], ['dark', 'light'])
  const few = await setOf([...times(15, 0), ...times(90, 1)], ['dark', 'light'])
  expect(classCounts(otherReal(real, few, 40, 0)!)).toEqual([15, 15])
  const tooFew = await setOf([...times(9, 0), ...times(90, 1)], ['dark', 'light'])
  expect(otherReal(real, tooFew, 40, 0)).toBeNull()
  expect(otherReal(real, await setOf(times(90, 0), ['dark']), 40, 0)).toBeNull()
})

test('a floor does not measure that one class of the training pictures is judged', async () => {
  const real = madePictures(120, 1, { classes: 1 })
  const found = await evaluate(madePictures(120, 3, { classes: 1 }), real, {
    extractor,
    training: madePictures(300, 2, { classes: 2 }),
    numResamples: 40,
    measures: ['frechet', 'kid', 'recall'],
  })
  expect(found.measures.map(readingOf)).toEqual(Array.from({ length: 3 }, () => 'as real pictures'))
})
