import { expect, test } from 'vitest'
import { betasFromAlphaBar, diffusionTables } from '../src/index.js'

const alphaBar = (t: number) => Math.exp(-5 * t)

test('the tables of the betas return the function they came from', () => {
  const tables = diffusionTables(betasFromAlphaBar(alphaBar, 40))
  tables.alphaBar.forEach((value, i) => expect(value).toBeCloseTo(alphaBar((i + 1) / 40), 14))
})

test('caps the last step', () => {
  expect([...betasFromAlphaBar((t) => 1 - t, 2)]).toEqual([0.5, 0.999])
  expect([...betasFromAlphaBar((t) => 1 - t, 2, 0.75)]).toEqual([0.5, 0.75])
})

test('refuses a function that does not fall', () => {
  expect(() => betasFromAlphaBar(() => 1, 3)).toThrow(
    'betasFromAlphaBar: betas must lie in (0, 1] (betas[0] of 3 is 0); alphaBar must fall from t = 0 to t = 1',
  )
  expect(() => betasFromAlphaBar((t) => 1 - t, 1.5)).toThrow('betasFromAlphaBar: numTimesteps must be')
})
