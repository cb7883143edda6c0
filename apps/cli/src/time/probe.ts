import { train } from '@dit/train-ddp'
import { type Clock, steadyClock } from './clock.js'
import { createPace, isMeasured } from './pace.js'

/** What the first steps of a training took. */
export interface Probe {
  readonly secondsPerStep: number
  /** Steps measured, after one for warm-up. */
  readonly steps: number
}

/** Steps that are run at most, the warm-up included; a source of batches must have so many. */
export const PROBE_STEPS = 40

/** What a probe needs of a training; nothing that writes. */
export type ProbeOptions = Pick<
  Parameters<typeof train>[0],
  'objective' | 'recipe' | 'data' | 'backend' | 'seed' | 'recompute' | 'shardOptimizer' | 'communicator'
>

/**
 * Times the first steps of a training on a state of its own, which is gone afterwards: a training that follows ends in the same
 * bytes. Every rank of a job calls it; the ranks may measure different times.
 */
export async function probeSteps(options: ProbeOptions, clock: Clock = steadyClock): Promise<Probe> {
  const enough = new AbortController()
  const pace = createPace(clock)
  for await (const event of train({ ...options, steps: PROBE_STEPS, signal: enough.signal })) {
    if (event.type !== 'step') pace.skip()
    else pace.step()
    if (isMeasured(pace)) enough.abort()
  }
  const { steps, seconds } = pace.measured
  return { secondsPerStep: seconds / steps, steps }
}
