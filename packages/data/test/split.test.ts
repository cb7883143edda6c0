import { expect, test } from 'vitest'
import type { Dataset } from '../src/index.js'
import { shapesDataset, splitDataset, subset } from '../src/index.js'

/** Pictures of one pixel that hold their index; the classes have the given numbers of pictures. */
function counted(...counts: readonly number[]): Dataset {
  const labels = counts.flatMap((count, label) => Array.from({ length: count }, () => label))
  return {
    length: labels.length,
    classes: counts.map((_, label) => `class ${label}`),
    shape: [1, 1, 1],
    read: async (indices) => ({
      x0: Float32Array.from(indices),
      labels: Int32Array.from(indices, (index) => labels[index]),
    }),
  }
}

async function all(dataset: Dataset): Promise<{ indices: number[]; labels: number[] }> {
  const { x0, labels } = await dataset.read(Array.from({ length: dataset.length }, (_, i) => i))
  return { indices: [...x0], labels: [...labels] }
}

test('holds out a share of every class, and leaves every other picture to train on', async () => {
  const { train, heldOut } = await splitDataset(counted(20, 10, 40), { share: 0.1 })
  const [of, held] = [await all(train), await all(heldOut)]
  expect(held.labels.toSorted((a, b) => a - b)).toEqual([0, 0, 1, 2, 2, 2, 2])
  expect([...of.indices, ...held.indices].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 70 }, (_, i) => i))
})

test('the first held-out pictures are of all classes', async () => {
  const { heldOut } = await splitDataset(counted(20, 10, 40), { share: 0.2 })
  expect((await all(heldOut)).labels.slice(0, 6)).toEqual([0, 1, 2, 0, 1, 2])
})

test('no class loses its last picture, and one of two is held out however small the share', async () => {
  const { train, heldOut } = await splitDataset(counted(1, 2, 3), { share: 0.99 })
  expect((await all(train)).labels).toEqual([0, 1, 2])
  expect((await all(heldOut)).labels).toEqual([1, 2, 2])
  expect((await splitDataset(counted(2, 2), { share: 1e-9 })).heldOut.length).toBe(2)
})

test('is the same split every time, and another under another seed', async () => {
  const split = async (seed: number) => all((await splitDataset(counted(50, 50), { share: 0.2, seed })).heldOut)
  expect(await split(0)).toEqual(await split(0))
  expect(await split(1)).not.toEqual(await split(0))
})

test('learns the classes by reading where the dataset does not tell them', async () => {
  const shapes = shapesDataset({ size: 4, length: 300 })
  const silent = { ...shapes, labels: undefined }
  const [told, read] = [await splitDataset(shapes, { share: 0.1 }), await splitDataset(silent, { share: 0.1 })]
  expect(await all(read.heldOut)).toEqual(await all(told.heldOut))
  expect([...told.heldOut.labels!()]).toEqual((await all(told.heldOut)).labels)
})

test.each([0, 1, -0.1, Number.NaN])('refuses a share of %f', async (share) => {
  await expect(splitDataset(counted(4), { share })).rejects.toThrow('share must be above 0 and below 1')
})

test('refuses classes of one picture, and indices that are not there', async () => {
  await expect(splitDataset(counted(1, 1), { share: 0.5 })).rejects.toThrow('nothing can be held out')
  expect(() => subset(counted(3), [3])).toThrow('subset: indices must be in 0..2 (got 3)')
})
