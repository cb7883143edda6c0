import { reference } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { localCommunicators } from '../../../test/support/local-communicators.js'
import {
  type Evaluate,
  findDamage,
  memoryRunStore,
  readBest,
  readCounters,
  type RunStore,
  train,
  type TrainEvent,
  type TrainOptions,
} from '../src/index.js'
import { run, stoppingAfter, tinyData, tinyObjective, tinyRecipe } from './setting.js'

const base: TrainOptions = {
  objective: tinyObjective,
  recipe: tinyRecipe,
  data: tinyData(),
  backend: reference(),
  seed: 2,
  steps: 8,
  checkpoint: { every: 4, keepLast: 2 },
}

type Context = Parameters<Evaluate['run']>[0]

/** Measures that go up and down: the smallest at step 3. */
const SCORES: Readonly<Record<number, number>> = { 1: 5, 2: 4, 3: 1, 4: 3, 5: 1, 6: 2, 7: 6, 8: 7 }

/** A measure that also depends on the averages, so that they are what they were. */
const scoring: Evaluate = {
  every: 1,
  async run({ step, ema }) {
    const [first] = await ema['final_layer.linear.bias'].data()
    return { measures: { score: SCORES[step], first }, evaluation: { count: 10 * step } }
  },
}
const keepBest = { measure: 'score', better: 'less' } as const
const judged: TrainOptions = { ...base, evaluate: scoring, checkpoint: { ...base.checkpoint, keepBest } }

/** Sums of all files of a store. */
async function contents(store: RunStore): Promise<Record<string, string>> {
  const steps = await store.list('checkpoints')
  const folders = await Promise.all(
    steps.map(async (name) => (await store.list(`checkpoints/${name}`)).map((file) => `checkpoints/${name}/${file}`)),
  )
  const names = ['log.jsonl', 'checkpoints/best.json', ...folders.flat()]
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await store.inspect(name))!.sha256])))
}

let unbroken: Promise<Record<string, string>> | undefined

/** What the run `judged` leaves. */
function wholeRun(): Promise<Record<string, string>> {
  const compute = async () => {
    const store = memoryRunStore()
    await run({ ...judged, store })
    return contents(store)
  }
  return (unbroken ??= compute())
}

function records(events: readonly TrainEvent[]) {
  return events.flatMap((event) => (event.type === 'step' ? [event.record] : []))
}

describe('evaluate', () => {
  test('puts its measures into the log at its period and at the end, and a resumed run writes the same', async () => {
    const evaluate = {
      every: 3,
      run: async ({ step, ema }: Context) => ({ first: (await ema['final_layer.linear.bias'].data())[0], step }),
    }
    const [whole, broken] = [memoryRunStore(), memoryRunStore()]
    const events = await run({ ...base, evaluate, store: whole })
    expect(records(events).flatMap(({ measures }) => measures?.step ?? [])).toEqual([3, 6, 8])
    expect(records(events)[2]).not.toHaveProperty('evaluation')
    await run({ ...base, evaluate, store: broken, ...stoppingAfter(2) })
    await run({ ...base, evaluate, store: broken })
    expect(await broken.inspect('log.jsonl')).toEqual(await whole.inspect('log.jsonl'))
  })

  test('takes several with schedules of their own, and what they say of their measures', async () => {
    const other: Evaluate = { every: 4, run: async ({ step }) => ({ other: -step }) }
    const events = await run({ ...base, evaluate: [{ ...scoring, every: 2 }, other] })
    const found = records(events).map(({ step, measures, evaluation }) => [
      step,
      measures?.score,
      measures?.other,
      evaluation,
    ])
    expect(found.slice(0, 4)).toEqual([
      [1, undefined, undefined, undefined],
      [2, 4, undefined, { count: 20 }],
      [3, undefined, undefined, undefined],
      [4, 3, -4, { count: 40 }],
    ])
  })

  test('changes nothing of what is trained', async () => {
    const last = 'checkpoints/step-0000008'
    const [plain, measured] = [memoryRunStore(), memoryRunStore()]
    await run({ ...base, store: plain })
    await run({ ...base, evaluate: scoring, store: measured })
    for (const part of ['model', 'ema', 'optimizer']) {
      const file = `${last}/${part}.safetensors`
      expect(await measured.inspect(file)).toEqual(await plain.inspect(file))
    }
  })

  test('is refused where it cannot be', async () => {
    const never = async () => ({})
    await expect(run({ ...base, evaluate: { every: 0, run: never } })).rejects.toThrow(
      'evaluate.every must be a positive integer (got 0)',
    )
    await expect(run({ ...base, evaluate: [scoring, scoring] })).rejects.toThrow(
      'train: two functions of evaluate measure score',
    )
    await expect(run({ ...base, evaluate: { every: 1, run: async () => ({ score: NaN }) } })).rejects.toThrow(
      'train: evaluate gave score as NaN',
    )
    const other = { measure: 'sore', better: 'less' } as const
    await expect(run({ ...judged, checkpoint: { keepBest: other } })).rejects.toThrow(
      'train: checkpoint.keepBest is by sore, but evaluate measures only score, first',
    )
    const wrong = { measure: 'score', better: 'most' } as unknown as typeof keepBest
    await expect(run({ ...judged, checkpoint: { keepBest: wrong } })).rejects.toThrow('checkpoint.keepBest.better')
  })
})

describe('the best checkpoint', () => {
  test('is written when it is measured, named in best.json, and kept beside the newest', async () => {
    const store = memoryRunStore()
    const events = await run({ ...judged, store })
    const saved = events.flatMap((event) => (event.type === 'checkpoint' ? [[event.step, event.isBest]] : []))
    expect(saved).toEqual([
      [1, true],
      [2, true],
      [3, true],
      [4, false],
      [8, false],
    ])
    expect(await store.list('checkpoints')).toEqual(['best.json', 'step-0000003', 'step-0000004', 'step-0000008'])
    expect(await readBest(store)).toEqual({
      step: 3,
      measure: 'score',
      value: 1,
      better: 'less',
      path: 'checkpoints/step-0000003',
    })
    expect(await findDamage(store, 3)).toBe(null)
  })

  test('may be the one with the largest value', async () => {
    const store = memoryRunStore()
    const checkpoint = { keepLast: 1, keepBest: { measure: 'score', better: 'more' } } as const
    await run({ ...base, steps: 4, evaluate: scoring, checkpoint, store })
    expect(await readBest(store)).toMatchObject({ step: 1, value: 5 })
    expect(await store.list('checkpoints')).toEqual(['best.json', 'step-0000001', 'step-0000004'])
  })

  test.each([1, 3, 4, 6])('is the same after a death in step %i', async (step) => {
    const broken = memoryRunStore()
    for await (const event of train({ ...judged, store: broken }))
      if (event.type === 'step' && event.record.step === step) break
    await run({ ...judged, store: broken })
    expect(await contents(broken)).toEqual(await wholeRun())
  })

  test('is found again after a death between the checkpoint and best.json', async () => {
    const store = memoryRunStore()
    const dying: RunStore = {
      ...store,
      async write(path, text) {
        if (path === 'checkpoints/best.json' && String(text).includes('step-0000003')) throw new Error('power cut')
        return store.write(path, text)
      },
    }
    await expect(run({ ...judged, store: dying })).rejects.toThrow('power cut')
    expect(await readBest(store)).toMatchObject({ step: 2 })
    await run({ ...judged, store })
    expect(await contents(store)).toEqual(await wholeRun())
  })

  test('begins anew where a resumed run keeps another measure, and is forgotten where it keeps none', async () => {
    const store = memoryRunStore()
    const steps = { steps: 8, allowInexact: true, store }
    await run({ ...judged, ...steps, ...stoppingAfter(6) })
    const first = { measure: 'first', better: 'more' } as const
    await run({ ...judged, ...steps, checkpoint: { keepLast: 2, keepBest: first }, ...stoppingAfter(7) })
    expect(await readBest(store)).toMatchObject({ step: 7, measure: 'first' })
    await run({ ...base, ...steps, evaluate: scoring })
    expect(await readBest(store)).toBe(null)
  })

  test('stays what it was where a new one could not be saved', async () => {
    const store = memoryRunStore()
    const full: RunStore = {
      ...store,
      async writeTensors(path, tensors, metadata) {
        if (path.includes('step-0000003')) throw new Error('disk full')
        return store.writeTensors(path, tensors, metadata)
      },
    }
    await run({ ...judged, store: full, onSaveError: 'continue', steps: 4 })
    // Of step 4, whose value is between: better than that of step 2.
    expect(await readBest(store)).toMatchObject({ step: 4, value: 3 })
  })

  test.each([
    'not json',
    '{}',
    '{"format":"dit-best-1","checkpoint":"step-0000009","step":3,"measure":"a","value":1,"better":"less"}',
  ])('is refused where best.json is %s', async (text) => {
    const store = memoryRunStore()
    await store.write('checkpoints/best.json', text)
    await expect(readBest(store)).rejects.toThrow(/best\.json (is not valid JSON|does not name a checkpoint)/)
  })

  test('is the same on two workers, of which rank 0 measures', async () => {
    const [one, two] = [memoryRunStore(), memoryRunStore()]
    await run({ ...judged, store: one })
    const ofRank = async (communicator: TrainOptions['communicator'] & object) => {
      const evaluate: Evaluate = {
        every: 1,
        run: (of) => {
          expect(communicator.rank).toBe(0)
          return scoring.run(of)
        },
      }
      const store = communicator.rank === 0 ? two : undefined
      for await (const _ of train({ ...judged, evaluate, communicator, store, shardOptimizer: true }));
    }
    await Promise.all(localCommunicators(2).map(ofRank))
    expect(await readBest(two)).toEqual(await readBest(one))
    expect(await two.list('checkpoints')).toEqual(await one.list('checkpoints'))
  })
})

describe('a stop while a step is measured', () => {
  /** An evaluation that is stopped at a step: it gives up as soon as the stop is asked for. */
  function stoppedAt(step: number): Pick<TrainOptions, 'evaluate' | 'signal'> {
    const controller = new AbortController()
    const evaluate: Evaluate = {
      every: 2,
      async run(context) {
        if (context.step === step) {
          controller.abort()
          throw new Error('given up')
        }
        return scoring.run(context)
      },
    }
    return { evaluate, signal: controller.signal }
  }
  const options: TrainOptions = { ...judged, evaluate: { ...scoring, every: 2 } }

  test.each([2, 8])('at step %i saves the step, and a resumed run measures it first', async (step) => {
    const [whole, store] = [memoryRunStore(), memoryRunStore()]
    await run({ ...options, store: whole })
    const stopped = await run({ ...options, ...stoppedAt(step), store })
    expect(stopped.at(-1)).toMatchObject({ type: 'end', step, reason: 'stopped' })
    expect(records(stopped).at(-1)!.step).toBe(step - 1)
    const path = `checkpoints/step-000000${step}`
    expect((await readCounters(store, path)).pending).toMatchObject({ step })
    // Stopped again at once, it changes nothing.
    const before = await contents(store).catch(() => null)
    await run({ ...options, ...stoppedAt(step), store })
    expect(await contents(store).catch(() => null)).toEqual(before)
    const resumed = await run({ ...options, store })
    expect(records(resumed)[0]).toMatchObject({ step, measures: { score: SCORES[step] } })
    const last = (all: Record<string, string>) =>
      Object.entries(all).filter(([name]) => !/step-000000[26]/.test(name) || name.includes('best'))
    expect(last(await contents(store))).toEqual(last(await contents(whole)))
  })

  test('is no stop where nobody asked for one', async () => {
    const evaluate: Evaluate = { every: 2, run: async () => Promise.reject(new Error('broken')) }
    await expect(run({ ...base, evaluate })).rejects.toThrow('broken')
  })
})
