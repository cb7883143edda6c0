import { expect, test } from 'vitest'
import { mainThreadOf } from '../bench/page/main-thread.js'

const event = (name: string, tid: number, ms: number, args = {}) => ({
  name,
  ph: 'X',
  pid: 1,
  tid,
  dur: 1000 * ms,
  args,
})

test('tasks of the main thread are counted, and those of 50 ms and more', () => {
  const traceEvents = [
    event('thread_name', 7, 0, { name: 'CrRendererMain' }),
    event('thread_name', 8, 0, { name: 'DedicatedWorker' }),
    event('ThreadControllerImpl::RunTask', 7, 3),
    event('RunTask', 7, 50),
    event('RunTask', 7, 49.9),
    event('RunTask', 8, 500),
    event('Layout', 7, 90),
  ]
  expect(mainThreadOf(JSON.stringify({ traceEvents }))).toEqual({ numTasks: 3, numLong: 1, longestMs: 50 })
  expect(() => mainThreadOf(JSON.stringify({ traceEvents: traceEvents.slice(1) }))).toThrow(
    'the trace has no tasks of a main thread',
  )
})
