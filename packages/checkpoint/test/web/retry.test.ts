import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Break, retryAfterSeconds, retrying } from '../../src/web/retry.js'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** Fails with these waits in turn, and then succeeds; notes the time of each attempt. */
function failing(waits: readonly (number | 'doubling')[]) {
  const start = Date.now()
  const times: number[] = []
  const left = [...waits]
  const attempt = async () => {
    times.push((Date.now() - start) / 1000)
    const wait = left.shift()
    if (wait !== undefined) throw new Break(new Error(`broken, ${left.length} left`), wait)
    return 'done'
  }
  return { times, attempt }
}

const caught = (work: Promise<unknown>) => work.catch((error: unknown) => error)

test('waits are 1, 2, 4 seconds and so on up to 60, and what a server asks for in between', async () => {
  const { times, attempt } = failing([
    'doubling',
    'doubling',
    5,
    'doubling',
    0,
    ...Array<'doubling'>(5).fill('doubling'),
  ])
  const done = retrying(attempt, { retries: 10 })
  await vi.runAllTimersAsync()
  expect(await done).toBe('done')
  expect(times.slice(1).map((time, i) => time - times[i])).toEqual([1, 2, 5, 4, 0, 8, 16, 32, 60, 60])
})

test('the last break is thrown as its reason, and other errors as they are', async () => {
  const { times, attempt } = failing([0, 0, 0])
  const failed = caught(retrying(attempt, { retries: 1 }))
  await vi.runAllTimersAsync()
  expect(await failed).toMatchObject({ message: 'broken, 1 left' })
  expect(times).toHaveLength(2)
  const error = new Error('final')
  await expect(retrying(() => Promise.reject(error), { retries: 9 })).rejects.toBe(error)
})

test('an abort ends a wait at once with its reason, and leaves no timer', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const { times, attempt } = failing([60])
  const failed = caught(retrying(attempt, { retries: 3, signal: controller.signal }))
  await vi.advanceTimersByTimeAsync(10_000)
  controller.abort(reason)
  expect(await failed).toBe(reason)
  expect(times).toEqual([0])
  expect(vi.getTimerCount()).toBe(0)
})

test('Retry-After is read in seconds and as a date by the clock of the server', () => {
  const Date = 'Wed, 01 Jan 2020 00:00:00 GMT'
  const seconds = (headers: Record<string, string>) => retryAfterSeconds(new Headers(headers))
  expect(seconds({ 'Retry-After': '120' })).toBe(120)
  expect(seconds({ 'Retry-After': 'Wed, 01 Jan 2020 00:00:07 GMT', Date })).toBe(7)
  expect(seconds({ 'Retry-After': 'Tue, 31 Dec 2019 23:00:00 GMT', Date })).toBe(0)
  expect(seconds({ 'Retry-After': 'Wed, 01 Jan 2020 00:00:07 GMT' })).toBe(null)
  expect(seconds({ 'Retry-After': 'soon', Date })).toBe(null)
  expect(seconds({})).toBe(null)
})
