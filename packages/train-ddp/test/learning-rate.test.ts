import { describe, expect, test } from 'vitest'
import { emaDecayAt, learningRateAt, paperRecipe, smallRecipe } from '../src/index.js'

const recipe = { ...smallRecipe, learningRate: 0.01, warmupSteps: 4, finalLearningRate: 0.1 }

describe('learningRateAt', () => {
  test('rises linearly over the warm-up and reaches the peak at its end', () => {
    expect([1, 2, 3, 4].map((step) => learningRateAt(recipe, step, 100))).toEqual([0.0025, 0.005, 0.0075, 0.01])
  })

  test('cosine passes the middle half-way and ends at the final share', () => {
    expect(learningRateAt(recipe, 52, 100)).toBeCloseTo(0.01 * (0.1 + 0.9 / 2), 15)
    expect(learningRateAt(recipe, 100, 100)).toBeCloseTo(0.001, 15)
  })

  test('linear falls by equal steps', () => {
    const linear = { ...recipe, decay: 'linear' as const, warmupSteps: 0, finalLearningRate: 0 }
    expect([1, 2, 3, 4].map((step) => learningRateAt(linear, step, 4))).toEqual([0.0075, 0.005, 0.0025, 0])
  })

  test('the paper keeps 1e-4 from the first step on', () => {
    expect([1, 2, 400_000].map((step) => learningRateAt(paperRecipe, step, 400_000))).toEqual([1e-4, 1e-4, 1e-4])
  })

  test('a run no longer than its warm-up never passes the peak', () => {
    expect(learningRateAt(recipe, 4, 4)).toBe(0.01)
    expect(learningRateAt(recipe, 5, 4)).toBeCloseTo(0.001, 15)
  })
})

describe('emaDecayAt', () => {
  test('warms up as (1 + step) / (10 + step)', () => {
    expect(emaDecayAt(smallRecipe, 1)).toBe(2 / 11)
    expect(emaDecayAt(smallRecipe, 8)).toBe(0.5)
    expect(emaDecayAt(smallRecipe, 1_000_000)).toBe(0.999)
  })

  test('is constant without warm-up', () => {
    expect(emaDecayAt(paperRecipe, 1)).toBe(0.9999)
  })
})
