import { expect, test } from 'vitest'
import { type Card, compareCards } from '../../tools/pretrained/card.js'
import { readmeOf } from '../../tools/pretrained/readme.js'
import { SPECS } from '../../tools/pretrained/specs.js'

const card: Card = {
  format: 'dit-card-1',
  name: 'heroes',
  file: { bytes: 8_393_216, sha256: 'abc', dtype: 'f16' },
  network: { patchSize: 4, hiddenSize: 192, depth: 6, numHeads: 6 },
  parameters: 4_181_000,
  classes: ['elf', 'troll'],
  training: {
    command: 'dit train --size 32',
    steps: 1000,
    batch: 32,
    pictures: 32_000,
    minutes: 90,
    processors: 2,
    engine: 'cpu-native avx2',
    node: '22.0.0',
  },
  heldOut: 236,
  sampling: { sampler: 'dpmpp-2m', steps: 20, guidance: 1.25 },
  numSamples: 236,
  measures: [
    {
      measure: 'frechet',
      title: 'Fréchet distance',
      extractor: 'small',
      value: 0.512,
      low: 0.45,
      high: 0.6,
      floor: { value: 0.0901, matched: 0.5 },
    },
    { measure: 'vendi', title: 'Vendi score', extractor: 'small', value: 3, low: null, high: null, floor: null },
  ],
  classifier: {
    heldOut: { share: 0.92, low: 0.88, high: 0.95, count: 236 },
    samples: { share: 0.9, low: 0.86, high: 0.93, count: 236 },
    numTraining: 1800,
  },
  copies: { share: 0.01, low: 0, high: 0.03, expected: 0.012, mostByChance: 0.04, numTraining: 1800, among: 'all' },
}

test('the README has every figure of a card, with intervals and floor', () => {
  const readme = readmeOf([[SPECS[0], card]])
  for (const text of [
    '| Fréchet distance | `small` | 0.512 | 0.45 to 0.6 | 0.5 | 0.0901 |',
    '| Vendi score | `small` | 3 |  |  |  |',
    'finds the class of 90.0 % (86.0 % to 93.0 %) of the samples, and of 92.0 % (88.0 % to 95.0 %) of the held-out pictures',
    '1.0 % of the samples (0.0 % to 3.0 %)',
    '8.4 MB, float16, SHA-256 `abc`',
    '1,000 steps of 32 on 32,000 pictures, 90 minutes of 2 processors',
    'heroes-nearest.png',
    'demonblade.png',
  ]) {
    expect(readme).toContain(text)
  }
  expect(readme).not.toContain('Not trained yet')
})

test('a rebuilt model agrees where its figures lie in the published intervals, and only there', () => {
  expect(compareCards(card, card).map(({ agrees }) => agrees)).toEqual([true, true, true])
  const [frechet] = card.measures
  const rebuilt = {
    ...card,
    measures: [{ ...frechet, value: 0.61 }],
    classifier: { ...card.classifier, samples: { ...card.classifier.samples, share: 0.93 } },
  }
  expect(compareCards(card, rebuilt)).toMatchObject([
    { what: 'Fréchet distance (small)', published: 0.512, rebuilt: 0.61, agrees: false },
    { what: 'classes found by the classifier', rebuilt: 0.93, agrees: true },
    { what: 'copies', agrees: true },
  ])
})

test('a figure that the rebuilt model lacks is an error', () => {
  expect(() => compareCards(card, { ...card, measures: [] })).toThrow(
    'the rebuilt heroes has no Fréchet distance (small)',
  )
})
