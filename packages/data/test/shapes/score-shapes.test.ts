import { expect, test } from 'vitest'
import { scoreShapes, shapesDataset } from '../../src/index.js'

const indices = Array.from({ length: 60 }, (_, i) => i)

test('real pictures score 1 and spread as their drawings do', async () => {
  const dataset = shapesDataset({ size: 16 })
  const { x0, labels } = await dataset.read(indices)
  const score = scoreShapes(x0, labels, dataset.shape)
  expect(score).toMatchObject({ count: 60, right: 1, none: 0 })
  expect(score.perClass.map(({ shape, count, right }) => [shape, count, right])).toEqual(
    dataset.classes.map((name) => [name, 10, 1]),
  )
  expect(score.spread.size).toBeGreaterThan(0.035)
  expect(score.spread.size).toBeLessThan(0.055)
  expect(score.spread.position).toBeGreaterThan(0.06)
  expect(score.spread.color).toBeGreaterThan(0.5)
})

test('one memorised picture per class is right but has no spread', async () => {
  const dataset = shapesDataset({ size: 16 })
  const { x0, labels } = await dataset.read(indices.map((i) => i % 6))
  const { right, spread } = scoreShapes(x0, labels, dataset.shape)
  expect(right).toBe(1)
  for (const value of Object.values(spread)) expect(value).toBeCloseTo(0, 10)
})

test('a wrong class and no shape both count as wrong', async () => {
  const dataset = shapesDataset({ size: 16 })
  const { x0, labels } = await dataset.read([0, 1, 2, 3])
  x0.fill(0, 3 * 768)
  const score = scoreShapes(x0, [labels[1], labels[1], labels[2], labels[3]], dataset.shape)
  expect(score).toMatchObject({ right: 0.5, none: 0.25 })
})

test('refuses counts that do not agree and unknown labels', () => {
  expect(() => scoreShapes(new Float32Array(10), [0], [3, 16, 16])).toThrow(
    'scoreShapes: images must hold B C H W values (10 values for [1, 3, 16, 16])',
  )
  expect(() => scoreShapes(new Float32Array(768), [6], [3, 16, 16])).toThrow(
    'scoreShapes: a label must be from 0 to 5 (label 0 is 6)',
  )
})
