import { normals, randomStream } from '@dit/random'
import { expect, test } from 'vitest'
import { shareFound, trainClassifier } from '../../tools/pretrained/classifier.js'

/** Clouds around three corners, of which one feature tells nothing and one never varies. */
function clouds(count: number, seed: number) {
  const corners = [
    [0, 0],
    [4, 0],
    [0, 4],
  ]
  const noise = normals(randomStream(seed, 'cloud'), 3 * count)
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3)
  const features = new Float32Array(4 * count)
  for (let i = 0; i < count; i++) {
    const [x, y] = corners[labels[i]]
    features.set([x + noise[3 * i], y + noise[3 * i + 1], noise[3 * i + 2], 7], 4 * i)
  }
  return { features, labels, width: 4 }
}

test('a classifier finds the classes of examples that it has not seen, and is a function of examples and seed', () => {
  const options = { numClasses: 3, learningRate: 0.05 }
  const classify = trainClassifier(clouds(300, 1), options)
  const others = clouds(300, 2)
  const found = classify(others.features)
  // Corners are four deviations apart: the best rule errs on about 4 %.
  expect(shareFound(found, others.labels).share).toBeGreaterThan(0.92)
  expect(trainClassifier(clouds(300, 1), options)(others.features)).toEqual(found)
})

test('a share has the interval of Wilson', () => {
  // 8 of 10: 0.490 and 0.943, as in tables.
  const { share, low, high, count } = shareFound([0, 1, 1, 1, 1, 1, 1, 1, 1, 0], new Array<number>(10).fill(1))
  expect([share, count]).toEqual([0.8, 10])
  expect(low).toBeCloseTo(0.4902, 4)
  expect(high).toBeCloseTo(0.9433, 4)
  expect(shareFound([1, 1], [1, 1])).toMatchObject({ share: 1, high: 1 })
})

test('rows and labels must be as many', () => {
  expect(() => trainClassifier({ features: new Float32Array(6), labels: [0, 1], width: 4 }, { numClasses: 2 })).toThrow(
    'trainClassifier: features must be [2, 4], one row a label and at least one (got 6 values)',
  )
})
