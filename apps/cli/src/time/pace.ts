import type { Clock } from './clock.js'

/** How long the steps of a training take. What is done between steps, or aside from them, does not count. */
export interface Pace {
  /** A step has ended. The first one since `skip` is a warm-up where none was measured before. */
  step(): void
  /** What was done since the last step belongs to none. */
  skip(): void
  /** Work within a step that is no part of it, such as a measurement. */
  aside<T>(work: () => Promise<T>): Promise<T>
  /** Seconds a step, over the last ones; null before one was measured. */
  secondsPerStep(): number | null
  /** Steps measured, and their seconds in all. */
  readonly measured: { readonly steps: number; readonly seconds: number }
}

/** Steps that the pace is the mean of. */
const WINDOW = 20

/** Begins to measure. The first step compiles kernels and fills caches: it is left out. */
export function createPace(clock: Clock): Pace {
  const last: number[] = []
  let [steps, seconds] = [0, 0]
  let isWarm = false
  let mark = clock()
  return {
    step() {
      const now = clock()
      const taken = now - mark
      mark = now
      if (!isWarm) {
        isWarm = true
        return
      }
      steps++
      seconds += taken
      last.push(taken)
      if (last.length > WINDOW) last.shift()
    },
    skip() {
      mark = clock()
    },
    async aside(work) {
      const began = clock()
      try {
        return await work()
      } finally {
        mark += clock() - began
      }
    },
    secondsPerStep: () => (last.length === 0 ? null : last.reduce((sum, value) => sum + value, 0) / last.length),
    get measured() {
      return { steps, seconds }
    },
  }
}

/** Steps and seconds that make a measurement; of long steps a single one will do. */
const [LEAST_STEPS, LEAST_SECONDS, LONG_SECONDS] = [3, 0.5, 15]

/** Whether enough was measured for an estimate: three steps and half a second, or fifteen seconds. */
export function isMeasured({ measured: { steps, seconds } }: Pick<Pace, 'measured'>): boolean {
  return (steps >= LEAST_STEPS && seconds >= LEAST_SECONDS) || seconds >= LONG_SECONDS
}
