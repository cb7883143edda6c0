import { setImmediate, setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { prefetch } from '../src/index.js'

const identity = async (step: number) => step
const slowWhenEven = async (step: number) => {
  await setTimeout(step % 2 === 0 ? 8 : 0)
  return step
}
const failFromTwo = async (step: number) => {
  if (step >= 2) throw new Error(`bad ${step}`)
  return step
}
const throwAtOnce = (): Promise<number> => {
  throw new Error('at once')
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

test('yields in order, whichever load is done first', async () => {
  expect(await collect(prefetch(slowWhenEven, { start: 3, end: 9, ahead: 4 }))).toEqual([3, 4, 5, 6, 7, 8])
})

test('loads at most `ahead` things beyond the one in use', async () => {
  let started = 0
  const load = async (step: number) => {
    started++
    return step
  }
  for await (const step of prefetch(load, { end: 10, ahead: 3 })) {
    await setImmediate()
    expect(started).toBe(Math.min(10, step + 4))
  }
})

test('what was used is freed while the loop goes on', async () => {
  setFlagsFromString('--expose_gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const used: WeakRef<object>[] = []
  let numAlive = Infinity
  for await (const thing of prefetch(async (step) => ({ step }), { end: 100 })) {
    used.push(new WeakRef(thing))
    if (thing.step < 99) continue
    await setImmediate()
    collectGarbage()
    numAlive = used.filter((ref) => ref.deref() !== undefined).length
  }
  expect(numAlive).toBeLessThan(10)
})

test('a failed load throws at its turn and not before', async () => {
  const seen: number[] = []
  const run = async () => {
    for await (const step of prefetch(failFromTwo, { end: 10, ahead: 5 })) {
      await setImmediate()
      seen.push(step)
    }
  }
  await expect(run()).rejects.toThrow('bad 2')
  expect(seen).toEqual([0, 1])
})

test('a load that throws before it returns a promise is no different', async () => {
  await expect(collect(prefetch(throwAtOnce, { end: 1 }))).rejects.toThrow('at once')
})

test('an abort ends a wait at once, with its reason', async () => {
  const stop = new AbortController()
  const seen: AbortSignal[] = []
  const load = async (_: number, signal: AbortSignal) => {
    seen.push(signal)
    return new Promise<number>(() => {})
  }
  const running = collect(prefetch(load, { signal: stop.signal }))
  await setImmediate()
  stop.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
  expect(seen.map((signal) => signal.aborted)).toEqual([true, true])
})

test('an aborted signal loads nothing', async () => {
  let loads = 0
  const load = async () => loads++
  await expect(collect(prefetch(load, { signal: AbortSignal.abort(new Error('before')) }))).rejects.toThrow('before')
  expect(loads).toBe(0)
})

test('leaving the loop aborts what is under way and swallows its failure', async () => {
  let aborted = 0
  const load = async (step: number, signal: AbortSignal) => {
    if (step === 0) return 0
    return new Promise<number>((_, reject) => {
      signal.addEventListener('abort', () => {
        aborted++
        reject(new Error('late'))
      })
    })
  }
  for await (const _ of prefetch(load, { ahead: 2 })) {
    await setImmediate()
    break
  }
  // An unhandled rejection would fail the whole run.
  await setImmediate()
  expect(aborted).toBe(2)
})

test('refuses a queue without room', async () => {
  await expect(collect(prefetch(identity, { ahead: 0 }))).rejects.toThrow(
    'prefetch: ahead must be a positive integer (ahead is 0)',
  )
})
