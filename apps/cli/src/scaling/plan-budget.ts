import { planTime, type PlannedTime } from '../run/planned-time.js'
import type { PlannedData } from '../run/plan-training.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { Failure, UsageError } from '../terminal/errors.js'
import { machineMemory } from '../terminal/machine-memory.js'
import type { Analysis } from './analysis.js'
import type { PlanCandidate } from './candidates.js'

/** A budget: seconds on this machine, or multiply-adds. */
export type Budget = { readonly seconds: number } | { readonly compute: number }

const UNITS: Readonly<Record<string, number>> = { s: 1, sec: 1, m: 60, min: 60, h: 3600, d: 86_400 }

/**
 * Reads `1h`, `45min`, `90s` or a number of multiply-adds such as `2e15`.
 *
 * @throws UsageError for anything else
 */
export function parseBudget(text: string): Budget {
  const [, digits, unit] = /^\s*([\d.]+(?:e[+-]?\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? []
  const amount = Number(digits)
  if (!(amount > 0) || !Number.isFinite(amount))
    throw new UsageError(`--budget ${text}: it must be a time such as 1h or 45min, or multiply-adds such as 2e15`)
  if (unit === '') {
    if (amount < 1e6) {
      throw new UsageError(
        `--budget ${text}: ${amount} multiply-adds are less than any training; for a time, give its unit, such as ${amount}min`,
      )
    }
    return { compute: amount }
  }
  const seconds = UNITS[unit]
  if (seconds === undefined)
    throw new UsageError(`--budget ${text}: unknown unit "${unit}"; there are ${Object.keys(UNITS).join(', ')}`)
  return { seconds: amount * seconds }
}

/** What a candidate reaches with the budget. */
export interface PlannedChoice {
  readonly candidate: PlanCandidate
  readonly steps: number
  readonly examples: number
  readonly compute: number
  readonly loss: number
  /** In which the loss of the run should lie. */
  readonly interval: { readonly low: number; readonly high: number }
  /** Seconds of the whole run, measured; null where only counted. */
  readonly time: PlannedTime | null
}

/** What predicts: an analysis. */
type Law = Pick<Analysis, 'predict'>

/** Candidates whose steps are timed at most: it takes some seconds each. */
const MOST_TIMED = 12

/** What each candidate reaches with multiply-adds, the best first. */
export function choicesForCompute(law: Law, candidates: readonly PlanCandidate[], compute: number): PlannedChoice[] {
  const choices = candidates.flatMap((candidate) => {
    const steps = Math.floor(compute / (candidate.costPerExample * candidate.batchSize))
    return steps < 1 ? [] : [choiceOf(law, candidate, steps, null)]
  })
  if (choices.length === 0) throw new UsageError('the budget is less than one step of the smallest model')
  return choices.toSorted((a, b) => a.loss - b.loss)
}

/** Machines on which candidates are timed. */
export type TimeCandidate = (flags: TrainFlags, seconds: number) => Promise<PlannedTime>

/**
 * What candidates reach in a time on this machine, the best first. The promising ones are timed until the best of all is one of them; what the
 * others would take is estimated from the ones timed, by their multiply-adds.
 *
 * @throws Failure where not a step fits
 */
export async function choicesForTime(
  law: Law,
  candidates: readonly PlanCandidate[],
  seconds: number,
  time: TimeCandidate,
): Promise<PlannedChoice[]> {
  const timed = new Map<PlanCandidate, PlannedChoice | null>()
  // The middle one gives a first idea of the machine's speed.
  const bySize = candidates.toSorted((a, b) => a.costPerExample - b.costPerExample)
  let next: PlanCandidate | undefined = bySize[Math.floor(bySize.length / 2)]
  while (next !== undefined && timed.size < MOST_TIMED) {
    const planned = await time(next.flags, seconds)
    timed.set(next, planned.length < 1 ? null : choiceOf(law, next, planned.length, planned))
    next = mostPromising(law, candidates, timed)
  }
  const choices = [...timed.values()].filter((choice) => choice !== null)
  if (choices.length === 0) throw new Failure('not a step of any model fits into this time; give more')
  return choices.toSorted((a, b) => a.loss - b.loss)
}

/** The candidate that may be better than all that were timed, if there is one. */
function mostPromising(
  law: Law,
  candidates: readonly PlanCandidate[],
  timed: ReadonlyMap<PlanCandidate, PlannedChoice | null>,
): PlanCandidate | undefined {
  const known = [...timed.values()].filter((choice) => choice !== null)
  // Not a step of those that were timed fits: nothing fits, if not the smallest.
  if (known.length === 0) {
    const smallest = candidates.toSorted((a, b) => a.costPerExample - b.costPerExample)[0]
    return timed.has(smallest) ? undefined : smallest
  }
  const best = Math.min(...known.map(({ loss }) => loss))
  // Multiply-adds that the nearest timed candidate gets through in the time.
  const computeNear = ({ costPerExample }: PlanCandidate) =>
    known.toSorted((a, b) => distance(a, costPerExample) - distance(b, costPerExample))[0].compute
  return candidates
    .filter((candidate) => !timed.has(candidate))
    .map((candidate) => {
      const examples = computeNear(candidate) / candidate.costPerExample
      return { candidate, loss: law.predict(candidate.n, Math.max(1, examples)).loss }
    })
    .filter(({ loss }) => loss < best)
    .toSorted((a, b) => a.loss - b.loss)[0]?.candidate
}

const distance = ({ candidate }: PlannedChoice, cost: number) => Math.abs(Math.log(candidate.costPerExample / cost))

function choiceOf(law: Law, candidate: PlanCandidate, steps: number, time: PlannedTime | null): PlannedChoice {
  const examples = steps * candidate.batchSize
  const { loss, interval } = law.predict(candidate.n, examples)
  return { candidate, steps, examples, compute: examples * candidate.costPerExample, loss, interval, time }
}

/** Of a time that is planned, so much is spent on each candidate, at most so many seconds. */
const [PROBE_SHARE, MOST_PROBE_SECONDS] = [0.01, 15]

/**
 * Times the first steps of a candidate on this machine.
 *
 * @param tell is told which candidate is timed, before it is
 */
export function timeOnThisMachine(data: PlannedData, tell: (text: string) => void): TimeCandidate {
  return (flags, seconds) => {
    tell(`  hidden ${flags.hidden}, depth ${flags.depth}, heads ${flags.heads}, patch ${flags.patch}`)
    const probeSeconds = Math.min(MOST_PROBE_SECONDS, PROBE_SHARE * seconds)
    return planTime({ ...flags, minutes: seconds / 60 }, data, { workers: 1, available: machineMemory(), probeSeconds })
  }
}
