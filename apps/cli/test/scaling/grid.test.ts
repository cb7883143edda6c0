import { describe, expect, test } from 'vitest'
import { countMultiplyAdds } from '@dit/scaling'
import { checkGrid, type Grid } from '../../src/scaling/grid.js'
import { plannedRuns, rateAt } from '../../src/scaling/grid-runs.js'

const grid = {
  train: { data: 'shapes', size: 8, batch: 4, valShare: 0.01, sampleEvery: null },
  models: [
    { name: 'a', hidden: 16, depth: 1, heads: 2, patch: 4 },
    { name: 'b', hidden: 32, depth: 2, heads: 2, patch: 2 },
  ],
  budgets: [1e8, 1e9],
}
const check = (changes: object): Grid => checkGrid('g.json', { ...grid, ...changes })

test('a run has the steps that use up its budget, the rate of the rule, and a name', async () => {
  const learningRate = { rate: 1e-3, atHidden: 64, power: -0.5 }
  const runs = await plannedRuns(check({ learningRate, repeats: [{ model: 'a', budget: 1e8, seeds: [0, 7] }] }))
  expect(runs.map(({ name }) => name)).toEqual(['a-1e8-s0', 'a-1e8-s7', 'b-1e8-s0', 'a-1e9-s0', 'b-1e9-s0'])
  const [{ flags, multiplyAdds, compute, params }] = runs
  const { multiplyAdds: counted } = countMultiplyAdds({
    inputSize: 8,
    patchSize: 4,
    inChannels: 3,
    hiddenSize: 16,
    depth: 1,
    numHeads: 2,
    mlpRatio: 4,
    numClasses: 6,
    classDropout: 0.1,
    learnSigma: false,
  })
  expect(multiplyAdds).toBe(counted)
  expect(params).toBeGreaterThan(1000)
  expect(flags).toMatchObject({ hidden: 16, patch: 4, seed: 0, lr: 0.002, valShare: 0.01, sampleEvery: null })
  expect(flags.steps).toBe(Math.round(1e8 / (3 * counted * 4)))
  expect(compute).toBe(flags.steps * 3 * counted * 4)
})

test('points can be left out, and a rate of a model wins over the rule', async () => {
  const models = [{ ...grid.models[0], lr: 0.5 }, grid.models[1]]
  const runs = await plannedRuns(check({ models, skip: [{ model: 'b', budget: 1e8 }] }))
  expect(runs.map(({ name, flags: { lr } }) => [name, lr])).toEqual([
    ['a-1e8-s0', 0.5],
    ['a-1e9-s0', 0.5],
    ['b-1e9-s0', undefined],
  ])
  expect(rateAt({ rate: 1e-3, atHidden: 64, power: -1 }, 128)).toBe(5e-4)
})

describe('refused is', () => {
  test.each<[string, object, string]>([
    ['an unknown key', { budget: 1 }, 'g.json: unknown key "budget"; did you mean budgets?'],
    ['an unknown option', { train: { batchSize: 4 } }, 'g.json: train: unknown key "batchSize"'],
    [
      'a wrong value',
      { train: { batch: 0 } },
      'g.json: train: "batch" cannot be 0. It must be a whole number, 1 or more.',
    ],
    ['steps', { train: { steps: 5 } }, 'g.json: train: "steps" cannot be given here: the budgets decide the steps'],
    ['workers', { train: { workers: 2 } }, '"workers" cannot be given here: runs are trained one after the other'],
    ['a model without a name', { models: [{ hidden: 16 }] }, 'g.json: models[0]: "name" must be letters, digits'],
    ['two models of a name', { models: [grid.models[0], grid.models[0]] }, 'g.json: "models" has "a" twice'],
    ['no budgets', { budgets: [] }, 'g.json: "budgets" must be a list that is not empty (got [])'],
    ['a budget of 0', { budgets: [0] }, 'g.json: budgets[0] must be a number above 0 (got 0)'],
    [
      'a repeat of no model',
      { repeats: [{ model: 'c', budget: 1e8, seeds: [1] }] },
      'must be the name of one of the models (got "c")',
    ],
    ['a skip of no budget', { skip: [{ model: 'a', budget: 3 }] }, '"budget" must be one of the budgets (got 3)'],
    [
      'a rule without a power',
      { learningRate: { rate: 1, atHidden: 2 } },
      'learningRate: "power" must be a number, such as -0.5',
    ],
    ['a seed below 0', { seeds: [-1] }, 'g.json: seeds must hold whole numbers, 0 or more (got -1)'],
  ])('%s', (_what, changes, message) => {
    expect(() => check(changes)).toThrow(message)
  })

  test('a budget of less than a step, a model that cannot be, and a module whose cost is not known', async () => {
    await expect(plannedRuns(check({ budgets: [1e3] }))).rejects.toThrow(
      /^model a: budget 1\.00e\+3 is less than one step, which takes \S+ multiply-adds; leave the point out with "skip"$/,
    )
    await expect(plannedRuns(check({ models: [{ name: 'c', hidden: 10, heads: 4 }] }))).rejects.toThrow(
      /^model c: --hidden/,
    )
    await expect(plannedRuns(check({ models: [{ name: 'u', objective: 'u.mjs' }] }))).rejects.toThrow(
      'model u: a network of a module needs "multiplyAdds"',
    )
    const module = { models: [{ name: 'u', objective: 'u.mjs', multiplyAdds: 1e6 }] }
    await expect(plannedRuns(check({ ...module, train: { size: 8 } }))).rejects.toThrow(
      'model u: a network of a module needs "batch"',
    )
    expect((await plannedRuns(check(module)))[1].flags).toMatchObject({ objective: 'u.mjs', steps: 83 })
  })
})
