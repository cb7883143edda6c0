// Corners of an objective of one's own: each went wrong once.
import { normals, randomStream } from '@dit/random'
import { affine, linear, mean, reference, square, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import {
  adamw,
  batchTensor,
  heldOutMeasures,
  memoryRunStore,
  type Objective,
  smallRecipe,
  train,
  wholeBatches,
} from '../src/index.js'

const data = wholeBatches(async (step) => ({
  count: 4,
  arrays: { x: { data: normals(randomStream(1, 'x', step), 8), shape: [2] } },
}))
const recipe = { ...smallRecipe, batchSize: 4, warmupSteps: 2, decay: 'constant' } as const
type Any = Record<string, unknown>

const losses: Objective['losses'] = (p, batch, _, { backend }) => ({
  loss: mean(square(linear(batchTensor(batch, 'x', backend), p.w, null)), [1]),
})
const objective = (over: Any = {}) =>
  ({
    spec: { kind: 'p' },
    parameters: { w: { shape: [3, 2] } },
    terms: ['loss'],
    init: ({ seed, backend }: { seed: number; backend: ReturnType<typeof reference> }) => ({
      w: tensor(normals(randomStream(seed, 'w'), 6), [3, 2], { backend }),
    }),
    losses,
    ...over,
  }) as unknown as Objective

async function go(store: ReturnType<typeof memoryRunStore>, over: Any = {}, stopAt = Infinity): Promise<string> {
  const options = { objective: objective(), recipe, data, backend: reference(), seed: 0, steps: 6, store, ...over }
  for await (const event of train({ ...options, checkpoint: { every: 2 } })) {
    if (event.type === 'step' && event.record.step === stopAt) break
  }
  return new TextDecoder().decode((await store.read('log.jsonl'))!)
}

test('a term with a name beyond ASCII resumes', async () => {
  const named = objective({
    terms: ['loss', 'größe'],
    losses: (...a: Parameters<typeof losses>) => {
      const { loss } = losses(...a)
      return { loss, größe: affine(loss, 2) }
    },
  })
  const store = memoryRunStore()
  await go(store, { objective: named }, 5)
  expect(await go(store, { objective: named })).toBe(await go(memoryRunStore(), { objective: named }))
})

test('one tensor may be two terms', async () => {
  const twice = objective({
    terms: ['loss', 'mse'],
    losses: (...a: Parameters<typeof losses>) => {
      const { loss } = losses(...a)
      return { loss, mse: loss }
    },
  })
  await expect(go(memoryRunStore(), { objective: twice })).resolves.toContain('"mse"')
})

test('a state that is no plain data resumes to the bit, or is refused', async () => {
  const stateful = objective({
    initialState: { best: Infinity },
    draw: ({ best }: { best: number }, { batchSize }: { batchSize: number }) => ({
      timesteps: new Int32Array(batchSize),
      importanceWeights: new Float32Array(batchSize).fill(best === Infinity ? 1 : 0.5),
    }),
  })
  const whole = await go(memoryRunStore(), { objective: stateful }).catch(() => null)
  if (whole === null) return
  const store = memoryRunStore()
  await go(store, { objective: stateful }, 3)
  expect(await go(store, { objective: stateful })).toBe(whole)
})

test('an AdamW of other settings is refused at a resume', async () => {
  const store = memoryRunStore()
  await go(store, { optimizer: adamw({ beta1: 0.5, beta2: 0.9, epsilon: 1e-3 }) }, 3)
  await expect(go(store)).rejects.toThrow(/beta1/)
})

test('a recipe that freezes everything is refused', async () => {
  const frozen = { ...recipe, groups: [{ name: 'all', match: '.', isFrozen: true }] }
  await expect(go(memoryRunStore(), { recipe: frozen })).rejects.toThrow(RangeError)
})

test('averages whose files are one on some systems are refused', async () => {
  await expect(
    go(memoryRunStore(), { recipe: { ...recipe, averages: [{ name: 'EMA', decay: 0.5 }] } }),
  ).rejects.toThrow('different names')
})

test('a network that predicts previousX has no held-out error', () => {
  const objective = { network: {}, process: { prediction: 'previousX' } } as never
  expect(() => heldOutMeasures(objective, { batches: () => [] })).toThrow('previousX has no estimate of x0')
})
