import { expect, test } from 'vitest'
import { lossWeightFlag, lossWeightText, parseLossWeight } from '../../src/settings/loss-weight.js'

test.each([
  ['none', 'none'],
  ['min-snr', { minSnr: 5 }],
  ['min-snr:2.5', { minSnr: 2.5 }],
  ['max-snr:1', { maxSnr: 1 }],
  ['p2', { p2: { k: 1, gamma: 1 } }],
  ['p2:0.5', { p2: { k: 0.5, gamma: 1 } }],
  ['p2:1,0.5', { p2: { k: 1, gamma: 0.5 } }],
  ['truncated-snr', 'truncatedSnr'],
])('%s is %j', (text, weight) => {
  expect(parseLossWeight(text)).toEqual(weight)
  expect(parseLossWeight(lossWeightText(parseLossWeight(text)))).toEqual(weight)
})

test('one text stands for a weight, however it was given', () => {
  expect(['min-snr', 'min-snr:5', 'min-snr:5.0'].map(lossWeightFlag)).toEqual(['min-snr:5', 'min-snr:5', 'min-snr:5'])
  expect(lossWeightText(undefined)).toBe('none')
})

test.each(['', 'snr:5', 'min-snr:1,2', 'p2:1,1,1', 'constructor', 'min'])('%j is refused', (text) => {
  expect(() => parseLossWeight(text)).toThrow('It must be none, min-snr[:gamma], p2[:k,gamma], ')
})

test('names the number that is wrong', () => {
  expect(() => parseLossWeight('min-snr:0')).toThrow('minSnr must be a positive number (got 0)')
  expect(() => parseLossWeight('min-snr:')).toThrow('minSnr must be a positive number (got NaN)')
  expect(() => parseLossWeight('p2:1,x')).toThrow('gamma of p2 must be a number, 0 or more (got NaN)')
})
