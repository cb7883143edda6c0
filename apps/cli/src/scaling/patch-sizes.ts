import { lossAt, type LossLaw } from '@dit/scaling'
import { UsageError } from '../terminal/errors.js'
import type { AnalysedRun } from './analysis.js'

/** Means of two patch sizes further apart than this many times the scatter within them are not one law's. */
const MOST_APART = 2
/** Smaller differences do not matter. */
const LEAST_APART = 0.02

/**
 * Those of some runs that have one patch size; all where none is asked for.
 *
 * @throws UsageError where no run has it
 */
export function withPatch<Run extends { readonly patch: number | null }>(
  runs: readonly Run[],
  patch: number | undefined,
): readonly Run[] {
  if (patch === undefined) return runs
  const kept = runs.filter((run) => run.patch === patch)
  if (kept.length > 0) return kept
  const known = [...new Set(runs.flatMap((run) => run.patch ?? []))].toSorted((a, b) => a - b)
  const all = known.length === 0 ? 'no size of patches is known' : `there are patches of ${known.join(', ')}`
  throw new UsageError(`--patch ${patch}: there is none; ${all}`)
}

/** What a law that knows only sizes gets wrong of several patch sizes, or of networks without; null where one law fits them all. */
export function patchNotice(runs: readonly AnalysedRun[], law: LossLaw): string | null {
  const patches = [...new Set(runs.map(({ row }) => row.patch))].toSorted((a, b) => (a ?? Infinity) - (b ?? Infinity))
  const groups = patches.map((patch) => {
    const own = runs.filter(({ row }) => row.patch === patch)
    const off = own.map(({ n, d, loss }) => Math.log(loss! / lossAt(law, n, d)))
    const mean = off.reduce((sum, value) => sum + value, 0) / off.length
    return { patch, mean, squares: off.reduce((sum, value) => sum + (value - mean) ** 2, 0), count: off.length }
  })
  if (groups.length < 2) return null
  const freedom = groups.reduce((sum, { count }) => sum + count - 1, 0)
  if (freedom === 0) return null
  const scatter = Math.sqrt(groups.reduce((sum, { squares }) => sum + squares, 0) / freedom)
  const means = groups.map(({ mean }) => mean)
  const apart = Math.max(...means) - Math.min(...means)
  if (apart < Math.max(LEAST_APART, MOST_APART * scatter)) return null
  const text = groups
    .map(({ patch, mean }) => `${percentText(mean)} ${patch === null ? 'without patches' : `with patches of ${patch}`}`)
    .join(', ')
  return `one law does not fit all networks: on average runs lie off it by ${text}; --patch takes those of one`
}

function percentText(mean: number): string {
  const percent = 100 * Math.expm1(mean)
  return `${percent < 0 ? '' : '+'}${percent.toFixed(1)} %`
}
