import type { LossTable } from './fit-loss-law.js'

/** A trained network, as a row of a table of results. */
export interface ScalingRun {
  readonly name: string
  /** Size: parameters, or multiply-adds of a forward pass. */
  readonly n: number
  /** Training examples drawn. */
  readonly d: number
  /** Compute of the training, such as multiply-adds. */
  readonly compute: number
  /** Held-out error or loss at the end; null where none was measured. */
  readonly loss: number | null
  /** Whether all planned steps were done; default: yes. */
  readonly isFinished?: boolean
  /** How often each example was seen; above 1 the law of fresh data does not hold. */
  readonly epochs?: number
  /** Nominal compute, which runs of one budget share; default: none. */
  readonly budget?: number
  readonly seed?: number
  /** Networks of another kind, such as of another patch size, are not taken for a measure of this one; default: all are of one. */
  readonly kind?: string
}

/** Runs that may be fitted, and what was found in the others. */
export interface ScreenedRuns<T extends ScalingRun> {
  readonly kept: readonly T[]
  readonly table: LossTable
  readonly leftOut: readonly { readonly run: T; readonly why: string }[]
  /** What the user should know of the runs that are kept. */
  readonly notices: readonly string[]
}

/** A loss this many times that of a run of the same kind, with no more data and no larger network, has diverged. */
const DIVERGED = 1.5

/**
 * Leaves out runs that no law describes, and says why: unfinished, without a loss, or diverged. Nothing is averaged: runs of the same size
 * and data with other seeds stay rows of their own.
 *
 * @param isHeldOut  runs that the law will be tested with: a large loss is no reason to leave them out
 * @throws RangeError where no run is left
 */
export function screenRuns<T extends ScalingRun>(
  runs: readonly T[],
  isHeldOut: (run: T) => boolean = () => false,
): ScreenedRuns<T> {
  const leftOut: { run: T; why: string }[] = []
  const kept = runs.filter((run) => {
    const why = reasonToLeaveOut(run, isHeldOut(run) ? [] : runs)
    if (why !== null) leftOut.push({ run, why })
    return why === null
  })
  if (kept.length === 0) {
    const why = leftOut.map((each) => `${each.run.name}: ${each.why}`).join('; ')
    throw new RangeError(`screenRuns: no run can be fitted (${why === '' ? 'there are none' : why})`)
  }
  const table = {
    n: kept.map(({ n }) => n),
    d: kept.map(({ d }) => d),
    loss: kept.map(({ loss }) => loss!),
  }
  return { kept, table, leftOut, notices: noticesOf(kept) }
}

function reasonToLeaveOut(run: ScalingRun, runs: readonly ScalingRun[]): string | null {
  if (run.isFinished === false) return 'it is not finished'
  const { loss } = run
  if (loss === null) return 'no loss was measured at its end'
  if (!Number.isFinite(loss)) return `it diverged (loss ${loss})`
  if (loss <= 0) return `its loss ${loss} is not above 0`
  const better = runs.find(
    (other) =>
      other !== run &&
      other.kind === run.kind &&
      other.isFinished !== false &&
      other.loss !== null &&
      other.loss > 0 &&
      other.n <= run.n &&
      other.d <= run.d &&
      loss > DIVERGED * other.loss,
  )
  if (better === undefined) return null
  return `it diverged: its loss ${loss.toPrecision(3)} is far above the ${better.loss!.toPrecision(3)} of ${better.name}, which is no larger and saw no more`
}

function noticesOf(runs: readonly ScalingRun[]): string[] {
  const groups = new Map<string, ScalingRun[]>()
  for (const run of runs) {
    const key = `${run.n} ${run.d}`
    groups.set(key, [...(groups.get(key) ?? []), run])
  }
  const repeated = [...groups.values()].filter(({ length }) => length > 1)
  const sameSeed = repeated.filter((group) => new Set(group.map(({ seed }) => seed)).size < group.length)
  const many = runs.filter(({ epochs = 0 }) => epochs > 1)
  const names = (list: readonly ScalingRun[]) => list.map(({ name }) => name).join(', ')
  return [
    ...repeated
      .filter((group) => !sameSeed.includes(group))
      .map((group) => `${names(group)} repeat a size and its data with other seeds; each stays a row`),
    ...sameSeed.map((group) => `${names(group)} have the same size, data and seed: is one of them in the table twice?`),
    ...(many.length === 0
      ? []
      : [`${names(many)} saw examples more than once, where a law of fresh data promises too much`]),
  ]
}
