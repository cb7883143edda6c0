import { directBetas, type DirectSchedule } from './direct-betas.js'
import { namedBetas, type NamedSchedule } from './named-betas.js'

/** Every schedule that has a name. */
export type Schedule = NamedSchedule | DirectSchedule

/** The names of `scheduleBetas`. */
export const SCHEDULES: readonly Schedule[] = [
  'linear',
  'squaredcos_cap_v2',
  'scaled_linear',
  'quad',
  'sigmoid',
  'const',
  'jsd',
  'warmup10',
  'warmup50',
]

/** Ends of a schedule; each has a default. */
export interface ScheduleEnds {
  /** First variance (default 0.0001; 0.00085 for `scaled_linear`). */
  readonly betaStart?: number
  /** Last variance (default 0.02; 0.012 for `scaled_linear`). */
  readonly betaEnd?: number
}

/**
 * Noise variances of any schedule that has a name.
 *
 * Without ends, `linear` and `squaredcos_cap_v2` are those of `namedBetas`, which scales `linear` with the number of steps.
 * With an end, `linear` is that of `directBetas`, as the other schedules always are: nothing is scaled.
 *
 * @returns `[T]`, float64, in (0, 1]
 * @throws RangeError for an unknown name, an end that the schedule does not use, betas outside (0, 1], or a count that is no
 *   positive integer
 *
 * @example
 * scheduleBetas('scaled_linear', 1000) // Stable Diffusion's
 */
export function scheduleBetas(name: Schedule, numTimesteps: number, ends: ScheduleEnds = {}): Float64Array {
  if (!SCHEDULES.includes(name)) {
    throw new RangeError(`scheduleBetas: the schedule must be one of ${SCHEDULES.join(', ')} (got ${name})`)
  }
  for (const end of ['betaStart', 'betaEnd'] as const) {
    if (ends[end] === undefined || usedEnds(name).includes(end)) continue
    throw new RangeError(`scheduleBetas: ${name} has no ${end}; leave it out`)
  }
  const isGiven = ends.betaStart !== undefined || ends.betaEnd !== undefined
  if (name === 'squaredcos_cap_v2' || (name === 'linear' && !isGiven)) return namedBetas(name, numTimesteps)
  const [start, end] = name === 'scaled_linear' ? [0.00085, 0.012] : [0.0001, 0.02]
  return directBetas(name, { numTimesteps, betaStart: ends.betaStart ?? start, betaEnd: ends.betaEnd ?? end })
}

function usedEnds(name: Schedule): readonly (keyof ScheduleEnds)[] {
  if (name === 'squaredcos_cap_v2' || name === 'jsd') return []
  return name === 'const' ? ['betaEnd'] : ['betaStart', 'betaEnd']
}
