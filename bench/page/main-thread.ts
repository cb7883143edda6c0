/** What a trace of Chromium says of the main thread of a page. */
export interface MainThread {
  readonly numTasks: number
  /** Those of 50 ms or more, the limit of the Long Tasks specification of the W3C. */
  readonly numLong: number
  readonly longestMs: number
}

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  /** Microseconds. */
  readonly dur?: number
  readonly args?: { readonly name?: string }
}

const LONG_MS = 50

/** Reads a trace in the format of Chromium: tasks of threads that are called CrRendererMain. */
export function mainThreadOf(trace: string): MainThread {
  const { traceEvents } = JSON.parse(trace) as { traceEvents: readonly TraceEvent[] }
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid}/${tid}`),
  )
  const tasks = traceEvents
    .filter(({ name, pid, tid }) => name.endsWith('RunTask') && mains.has(`${pid}/${tid}`))
    .map(({ dur = 0 }) => dur / 1000)
  if (tasks.length === 0) throw new Error('the trace has no tasks of a main thread')
  return {
    numTasks: tasks.length,
    numLong: tasks.filter((ms) => ms >= LONG_MS).length,
    longestMs: tasks.reduce((longest, ms) => Math.max(longest, ms), 0),
  }
}
