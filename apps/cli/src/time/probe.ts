import { train } from '@dit/train-ddp'
import { type Clock, steadyClock } from './clock.js'
import { createPace, isMeasured } from './pace.js'

/** What the first steps of a training took. */
export interface Probe {
  readonly secondsPerStep: number
  /** Steps measured, after those for warm-up. */
  readonly steps: number
}

/** Steps that are run at most, the warm-up included; a source of batches must have so many. */
export const PROBE_STEPS = 40

/** Steps of a long probe at most. */
const LONG_PROBE_STEPS = 10_000

/** What a probe needs of a training; nothing that writes. */
export type ProbeOptions = Pick<
  Parameters<typeof train>[0],
  'objective' | 'recipe' | 'data' | 'backend' | 'seed' | 'recompute' | 'shardOptimizer' | 'communicator'
>

/**
 * Times the first steps of a training on a state of its own, which is gone afterwards: a training that follows ends in the same
 * bytes. Every rank of a job calls it; the ranks may measure different times.
 *
 * @param probeSeconds measure for so long, and count the second half, in which the code is compiled and memory is at hand; default: half a
 * second and three steps, after the first one
 */
export async function probeSteps(
  options: ProbeOptions,
  clock: Clock = steadyClock,
  probeSeconds: number | null = null,
): Promise<Probe> {
  const enough = new AbortController()
  const pace = createPace(clock)
  const ends: { readonly steps: number; readonly seconds: number }[] = []
  const steps = probeSeconds === null ? PROBE_STEPS : LONG_PROBE_STEPS
  for await (const event of train({ ...options, steps, signal: enough.signal })) {
    if (event.type !== 'step') pace.skip()
    else pace.step()
    if (event.type === 'step') ends.push(pace.measured)
    if (isMeasured(pace) && pace.measured.seconds >= (probeSeconds ?? 0)) enough.abort()
  }
  const all = pace.measured
  const warm = probeSeconds === null ? undefined : ends.findLast(({ seconds }) => seconds <= all.seconds / 2)
  const counted = { steps: all.steps - (warm?.steps ?? 0), seconds: all.seconds - (warm?.seconds ?? 0) }
  return { secondsPerStep: counted.seconds / counted.steps, steps: counted.steps }
}
