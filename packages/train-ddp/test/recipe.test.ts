import { expect, test } from 'vitest'
import { checkRecipe, paperRecipe, RECIPES, smallRecipe } from '../src/index.js'

test('every named recipe is valid and carries its own name', () => {
  for (const [name, recipe] of Object.entries(RECIPES)) {
    expect(recipe.name).toBe(name)
    expect(() => checkRecipe(recipe)).not.toThrow()
  }
})

test('the paper recipe has the figures of the reference', () => {
  expect(paperRecipe).toMatchObject({
    batchSize: 256,
    learningRate: 1e-4,
    weightDecay: 0,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    maxGradientNorm: null,
    emaDecay: 0.9999,
    emaWarmup: false,
  })
})

test.each([
  [{ batchSize: 0 }, 'recipe: batchSize must be a positive integer (got 0)'],
  [{ microBatchSize: 1.5 }, 'recipe: microBatchSize must be a positive integer (got 1.5)'],
  [{ learningRate: Number.NaN }, 'recipe: learningRate must be a finite number, 0 or more (got NaN)'],
  [{ warmupSteps: -1 }, 'recipe: warmupSteps must be an integer, 0 or more (got -1)'],
  [{ beta2: 1 }, 'recipe: beta2 must be in [0, 1) (got 1)'],
  [{ emaDecay: 1 }, 'recipe: emaDecay must be in [0, 1) (got 1)'],
  [{ finalLearningRate: 2 }, 'recipe: finalLearningRate must be a share between 0 and 1 (got 2)'],
  [{ epsilon: 0 }, 'recipe: epsilon must be above 0 (got 0)'],
  [{ weightDecay: -1 }, 'recipe: weightDecay must be 0 or more (got -1)'],
  [{ maxGradientNorm: 0 }, 'recipe: maxGradientNorm must be above 0, or null (got 0)'],
])('refuses %j', (change, text) => {
  expect(() => checkRecipe({ ...smallRecipe, ...change })).toThrow(new RangeError(text))
})
