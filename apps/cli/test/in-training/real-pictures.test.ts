import { type Dataset, shapesDataset, splitDataset, subset } from '@dit/data'
import { expect, test } from 'vitest'
import { checkHeldOutClasses, chooseReal } from '../../src/in-training/real-pictures.js'

const shapes = shapesDataset({ size: 4, length: 40 })

/** Pictures with labels of our own. */
function labelled(labels: readonly number[], classes: readonly string[]): Dataset {
  return {
    ...subset(
      shapes,
      labels.map((_, i) => i),
    ),
    classes,
    labels: () => Int32Array.from(labels),
  }
}

test('takes the same pictures for every run, and all of them where there are few', async () => {
  const [one, two] = [chooseReal(shapes, 10, 6, 'all'), chooseReal(shapes, 10, 6, 'all')]
  expect(one.length).toBe(10)
  const first = Uint32Array.from({ length: 10 }, (_, i) => i)
  expect(await one.read(first)).toEqual(await two.read(first))
  expect(await one.read(first)).not.toEqual(await shapes.read(first))
  expect(chooseReal(shapes, 40, 6, 'all')).toBe(shapes)
})

test('refuses fewer pictures than the measures need, with what to do', () => {
  const few = subset(shapes, [0, 1, 2])
  expect(() => chooseReal(few, 10, 6, 'held-out')).toThrow(
    '--eval-every: there are only 3 held-out pictures, but the measures need 6; raise --val-share, or give --eval-against all',
  )
  expect(() => chooseReal(few, 10, 6, 'all')).toThrow(
    'there are only 3 pictures, but the measures need 6; add pictures',
  )
})

test('names a class that nothing is held out of', async () => {
  const all = labelled([0, 0, 0, 0, 1, 2, 2, 2], ['cat', 'dodo', 'dog'])
  const { train, heldOut } = await splitDataset(all, { share: 0.25 })
  expect(() => checkHeldOutClasses(train, heldOut, 0.25)).toThrow(
    '--val-share 0.25 holds out no picture of dodo: a class of one picture is only trained on',
  )
  const whole = await splitDataset(labelled([0, 0, 1, 1], ['cat', 'dog']), { share: 0.5 })
  expect(() => checkHeldOutClasses(whole.train, whole.heldOut, 0.5)).not.toThrow()
})
