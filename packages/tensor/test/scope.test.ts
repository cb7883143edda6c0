import { add, dispose, exp, keep, reshape, scope, square, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, draw, numbers } from './check-gradients.js'

const live = () => backend.memory().buffers

test('frees what was made inside but the result', async () => {
  const x = tensor([1, 2], [2], { backend })
  const before = live()
  const y = scope(() => square(add(exp(x), exp(x))))
  expect(live()).toBe(before + 1)
  expect((await numbers(y))[0]).toBeCloseTo((2 * Math.E) ** 2, 12)
  expect(x.isAlive).toBe(true)
})

test('keeps tensors in arrays, objects and maps, as deep as they are', () => {
  const x = draw('x', [2])
  const before = live()
  const result = scope(() => {
    exp(x)
    return {
      list: [exp(x), [exp(x)]],
      map: new Map([['a', { b: exp(x) }]]),
      number: 3,
      nothing: null,
      data: new Float32Array(2),
    }
  })
  expect(live()).toBe(before + 3)
  expect(result.map.get('a')!.b.isAlive).toBe(true)
  dispose(result)
  expect(live()).toBe(before)
})

test('keeps tensors in sets, objects without a prototype, and what holds itself', () => {
  const x = draw('x', [2])
  const before = live()
  const result = scope(() => {
    exp(x)
    const bare = Object.assign(Object.create(null) as object, { y: exp(x) })
    const ring: { set: Set<unknown>; self?: unknown } = { set: new Set([exp(x), [exp(x)], bare]) }
    ring.self = ring
    ring.set.add(ring.set)
    return ring
  })
  expect(live()).toBe(before + 3)
  expect(keep(result)).toBe(result)
  dispose(result)
  expect(live()).toBe(before)
})

test('searches a chain that is longer than the stack is deep', () => {
  const x = draw('x', [2])
  const before = live()
  let chain: unknown = null
  scope(() => {
    chain = exp(x)
    for (let i = 0; i < 100_000; i++) chain = [chain]
    return chain
  })
  expect(live()).toBe(before + 1)
  dispose(chain)
  expect(live()).toBe(before)
})

test('does not search class instances, keys of maps or functions', () => {
  class Holder {
    readonly y = exp(x)
  }
  const x = draw('x', [2])
  const before = live()
  const { holder, map } = scope(() => ({
    holder: new Holder(),
    map: new Map([[exp(x), 1]]),
    late: Object.assign(() => 1, { y: exp(x) }),
  }))
  expect([holder.y.isAlive, [...map.keys()][0].isAlive]).toEqual([false, false])
  expect(live()).toBe(before)
})

test('hands results to the scope around', () => {
  const x = draw('x', [2])
  const before = live()
  scope(() => {
    const inner = scope(() => exp(x))
    expect(inner.isAlive).toBe(true)
    const two = scope(() => scope(() => exp(x)))
    expect(two.isAlive).toBe(true)
    expect(live()).toBe(before + 2)
  })
  expect(live()).toBe(before)
})

test('a result that is an older tensor is left alone', () => {
  const x = draw('x', [2])
  expect(scope(() => scope(() => x))).toBe(x)
  expect(x.isAlive).toBe(true)
})

test('a result that is another shape of an inner tensor keeps the memory', async () => {
  const y = scope(() => reshape(exp(tensor([0, 0], [2], { backend })), [2, 1]))
  expect(await numbers(y)).toEqual([1, 1])
})

test('frees everything when the function throws', () => {
  const x = draw('x', [2])
  const before = live()
  expect(() =>
    scope(() => {
      exp(x)
      scope(() => {
        exp(x)
        throw new Error('stop')
      })
    }),
  ).toThrow('stop')
  expect(live()).toBe(before)
  scope(() => exp(x)).dispose()
  expect(live()).toBe(before)
})

test('refuses an async function and frees what it made', () => {
  const x = draw('x', [2])
  const before = live()
  expect(() => scope(async () => exp(x))).toThrow(
    new TypeError('scope: the callback must not be async (it returned a promise)'),
  )
  expect(live()).toBe(before)
})

test('keep takes tensors out of every scope', () => {
  const x = draw('x', [2])
  const before = live()
  let kept: typeof x | undefined
  scope(() => {
    scope(() => {
      kept = keep(exp(x))
    })
  })
  expect([kept!.isAlive, live()]).toEqual([true, before + 1])
  kept!.dispose()
})
