import { fileURLToPath } from 'node:url'
import { bootstrapLossLaw } from '@dit/scaling'
import { expect, test } from 'vitest'
import type { PlannedTime } from '../../src/run/planned-time.js'
import { plannedData } from '../../src/run/plan-training.js'
import { candidatesOf, type PlanCandidate } from '../../src/scaling/candidates.js'
import { checkGrid } from '../../src/scaling/grid.js'
import { choicesForTime } from '../../src/scaling/plan-budget.js'

const UNET = fileURLToPath(new URL('../../../../docs/examples/unet.mjs', import.meta.url))
const train = { data: 'shapes', size: 8, batch: 4, valShare: 0.01 }
const small = { name: 'a', hidden: 16, depth: 1, heads: 2, patch: 4 }
const large = { name: 'b', hidden: 64, depth: 2, heads: 8, patch: 4 }

async function candidates(grid: object): Promise<PlanCandidate[]> {
  const checked = checkGrid('g.json', { train, models: [small, large], budgets: [1e9], ...grid })
  return candidatesOf(checked, await plannedData(checked.train, { line: () => {} }), 'multiply-adds')
}
const hidden = (list: readonly PlanCandidate[]) => list.map(({ shape }) => shape.hidden)

test('models are planned with all options of their own, and other sizes come between those that differ in sizes only', async () => {
  expect(hidden(await candidates({}))).toEqual([16, 64, 24, 32, 48, 80, 96])
  const own = { ...large, batch: 16, mlpRatio: 2, lr: 7e-4 }
  const found = await candidates({ models: [small, own] })
  // Nothing lies between models that differ in more, and no rule gives a rate to larger ones.
  expect(hidden(found)).toEqual([16, 64])
  expect(found[1]).toMatchObject({ batchSize: 16, flags: { mlpRatio: 2, lr: 7e-4, valShare: 0.01, hidden: 64 } })
  const ruled = await candidates({ learningRate: { rate: 1e-3, atHidden: 64, power: -1 } })
  expect(ruled.find(({ shape }) => shape.hidden === 32)?.flags.lr).toBe(2e-3)
})

test('a grid whose networks come from a module has none', async () => {
  const models = [{ name: 'u', objectiveOptions: { channels: 8 } }]
  await expect(candidates({ train: { ...train, objective: UNET }, models })).rejects.toThrow(
    'the grid has no DiT, and no other network can be planned',
  )
})

test('a short time is planned with the small models, though the middle one does not fit', async () => {
  const points = [1e4, 1e5, 1e6].flatMap((n) => [1e3, 1e4, 1e5, 1e6].map((d) => ({ n, d })))
  const law = bootstrapLossLaw(
    {
      n: points.map(({ n }) => n),
      d: points.map(({ d }) => d),
      loss: points.map(({ n, d }) => 0.02 + 3 * n ** -0.4 + 2 * d ** -0.45),
    },
    { numResamples: 2 },
  )
  const predict = (n: number, d: number) => {
    const { loss, run } = law.predict(n, d)
    return { loss, interval: run, decades: 0 }
  }
  const all = await candidates({})
  const smallest = Math.min(...all.map(({ costPerExample }) => costPerExample))
  const timed: number[] = []
  const time = ({ hidden: width }: { readonly hidden?: number }, seconds: number) => {
    const { costPerExample } = all.find(({ shape }) => shape.hidden === width)!
    timed.push(width!)
    // Twenty steps of the smallest take the whole second.
    const length = Math.floor((20 * seconds * smallest) / costPerExample)
    return Promise.resolve({ length, time: { seconds } } as PlannedTime)
  }
  const [best] = await choicesForTime({ predict }, all, 1, time)
  expect(best.steps).toBeGreaterThan(0)
  expect(timed).toContain(16)
  await expect(choicesForTime({ predict }, all, 0.01, time)).rejects.toThrow('not a step of any model fits')
})
