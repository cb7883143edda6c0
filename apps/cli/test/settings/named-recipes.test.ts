import { RECIPES } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { chosenRecipe, NAMED_RECIPES, patchFor, withRecipe } from '../../src/settings/named-recipes.js'
import { resolveRun } from '../../src/run/resolve-run.js'
import type { TrainFlags } from '../../src/settings/train-settings.js'

const processOf = (flags: TrainFlags) => {
  const { objective } = resolveRun(flags, 6)
  return 'process' in objective ? objective.process : null
}

test('pictures, latents and own networks each have a recipe, and its reason is told', () => {
  expect(chosenRecipe({}, 'pictures')).toEqual({ name: 'pictures', reason: 'because it trains on pictures' })
  expect(chosenRecipe({}, 'latents')).toEqual({ name: 'small', reason: 'because it trains on latents' })
  expect(chosenRecipe({}, 'module').name).toBe('small')
  expect(chosenRecipe({ recipe: 'paper' }, 'pictures')).toEqual({ name: 'paper', reason: 'as --recipe says' })
})

test('each name has the training settings of that name', () => {
  for (const [name, { training }] of Object.entries(NAMED_RECIPES)) expect(training.name).toBe(name)
  expect(NAMED_RECIPES).toMatchObject(Object.fromEntries(Object.entries(RECIPES).map(([k, v]) => [k, { training: v }])))
})

test('the default predicts pictures; the recipes of the paper predict noise and its variance', () => {
  const x0 = { meanType: 'x0', schedule: 'squaredcos_cap_v2', varianceType: 'fixedSmall', numTimesteps: 1000 }
  expect(processOf({})).toMatchObject(x0)
  expect(processOf({ recipe: 'demo' })).toMatchObject(x0)
  const reference = { meanType: 'epsilon', schedule: 'linear', varianceType: 'learnedRange' }
  expect(processOf({ recipe: 'paper' })).toMatchObject(reference)
  expect(processOf({ recipe: 'small' })).toMatchObject(reference)
})

test('what is told wins over the recipe, one option at a time', () => {
  expect(processOf({ predict: 'epsilon' })).toMatchObject({ meanType: 'epsilon', schedule: 'squaredcos_cap_v2' })
  expect(withRecipe({ hidden: 64, patch: undefined }, 'demo', 32)).toMatchObject({ hidden: 64, depth: 3, patch: 4 })
})

test('a flow takes nothing from a recipe of a Gaussian diffusion, and told betas no schedule', () => {
  expect(processOf({ process: 'flow' })).toMatchObject({ kind: 'flow', prediction: 'velocity' })
  expect(withRecipe({ betaEnd: 0.03 }, 'pictures', 32)).not.toHaveProperty('schedule')
  expect(processOf({ betaEnd: 0.03 })).toMatchObject({ meanType: 'x0', schedule: 'linear', betaEnd: 0.03 })
})

test('a named size keeps its own sizes', () => {
  expect(withRecipe({ model: 'DiT-S/8' }, 'pictures', 32)).not.toHaveProperty('hidden')
})

test.each([
  [8, 2],
  [16, 4],
  [28, 7],
  [32, 8],
  [48, 8],
  [64, 8],
  [256, 8],
  [30, 6],
  [31, 1],
])('pictures of %i pixels get patches of %i', (size, patch) => {
  expect(patchFor(size)).toBe(patch)
})
