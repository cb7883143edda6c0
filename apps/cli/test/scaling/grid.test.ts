import { fileURLToPath } from 'node:url'
import { countUNet, unetConfig } from '@dit/unet'
import { describe, expect, test } from 'vitest'
import { countedNetwork } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import { checkGrid, type Grid } from '../../src/scaling/grid.js'
import { plannedRuns, rateAt } from '../../src/scaling/grid-runs.js'

const OWN = fileURLToPath(new URL('../fixtures/own-dit.mjs', import.meta.url))
const UNET = fileURLToPath(new URL('../../../../docs/examples/unet.mjs', import.meta.url))

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
  const { multiplyAdds: counted } = countMultiplyAdds(
    countedNetwork({
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
    }),
  )
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
      'model u: --objective u.mjs: this file does not exist',
    )
    const own = { name: 'u', objective: OWN }
    await expect(plannedRuns(check({ models: [own] }))).rejects.toThrow(
      'model u: the network of a module needs "multiplyAdds"',
    )
    await expect(plannedRuns(check({ models: [{ ...grid.models[0], multiplyAdds: 5 }] }))).rejects.toThrow(
      'model a: "multiplyAdds" is for the network of a module',
    )
    const unet = { name: 'u', objective: UNET, objectiveOptions: { channels: 16 } }
    await expect(plannedRuns(check({ models: [{ ...unet, multiplyAdds: 5 }] }))).rejects.toThrow(
      /^model u: "multiplyAdds" 5: the network counts \d+ itself; leave it out$/,
    )
    const learningRate = { rate: 1e-3, atHidden: 64, power: -0.5 }
    await expect(plannedRuns(check({ models: [unet], learningRate }))).rejects.toThrow(
      'model u: "learningRate" goes by `hidden`, which the network of a module does not have; give this model its own "lr"',
    )
    await expect(plannedRuns(check({ models: [{ ...unet, objectiveOptions: { chanels: 16 } }] }))).rejects.toThrow(
      /objective failed: unet: channels must be a positive whole number \(got undefined\)/,
    )
  })
})

test('the network of a module counts itself, and has the batch of its recipe and options of its own', async () => {
  const models = [16, 32].map((channels) => ({ name: `u${channels}`, objective: UNET, objectiveOptions: { channels } }))
  const runs = await plannedRuns(check({ train: { size: 8, valShare: 0.01 }, models, budgets: [1e11] }))
  for (const [i, channels] of [16, 32].entries()) {
    const { parameters, multiplyAdds } = countUNet(unetConfig({ inputSize: 8, channels, numClasses: 6 }))
    expect(runs[i]).toMatchObject({ params: parameters, multiplyAdds, batchSize: 64 })
    expect(runs[i].flags.objectiveOptions).toBe(JSON.stringify({ channels }))
    expect(runs[i].flags.steps).toBe(Math.round(1e11 / (3 * multiplyAdds * 64)))
  }
  const told = [{ name: 'u', objective: OWN, multiplyAdds: 1e6, batch: 4 }]
  const [{ flags, params }] = await plannedRuns(check({ models: told, budgets: [1e9] }))
  expect(flags.steps).toBe(83)
  expect(params).toBeGreaterThan(1000)
})

test('runs are evaluated after their last step where a grid names measures and no period', async () => {
  const train = { ...grid.train, evalMeasures: 'kid', evalCount: 10 }
  for (const { flags } of await plannedRuns(check({ train }))) expect(flags.evalEvery).toBe(flags.steps)
  const [{ flags }] = await plannedRuns(check({ train: { ...train, evalEvery: 7 } }))
  expect(flags.evalEvery).toBe(7)
  expect((await plannedRuns(check({})))[0].flags.evalEvery).toBeUndefined()
})
