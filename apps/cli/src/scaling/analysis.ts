import {
  bootstrapLossLaw,
  type Estimator,
  type Extrapolation,
  type ExtrapolationSpread,
  extrapolationSpread,
  fitIsoFlop,
  fitPowerLaw,
  heldOutExtrapolation,
  type Interval,
  type IsoFlopFit,
  type LossLawBootstrap,
  type PowerLawFit,
  type ScalingRun,
  screenRuns,
  widenedInterval,
} from '@dit/scaling'
import { BETTER, type MeasureName } from '@dit/evaluate'
import { checkInput, UsageError } from '../terminal/errors.js'
import { patchNotice, withPatch } from './patch-sizes.js'
import { type ResultRow, scalingRuns, type SizeKind } from './row.js'

/** How a table is fitted. */
export interface AnalysisOptions {
  readonly size: SizeKind
  readonly estimator: Estimator
  readonly resamples: number
  readonly level: number
  readonly seed: number
  /** Runs of more compute are held out of the fit, and compared with it. */
  readonly holdOutAbove?: number
  /** A measure of samples that is fitted in place of the held-out error. */
  readonly measure?: MeasureName
  /** Only runs with patches of this size. */
  readonly patch?: number
}

export type AnalysedRun = ScalingRun & { readonly row: ResultRow }

/** What a table of results says; null where it is too small for a fit, with the reason among the notices. */
export interface Analysis {
  readonly size: SizeKind
  /** What `loss` is: the held-out error, or a measure of samples. */
  readonly lossName: string
  /** Ends of the interval of a run's loss, where its table has them. */
  readonly lossInterval: (run: AnalysedRun) => { readonly low: number; readonly high: number } | null
  readonly level: number
  /** Runs that can be fitted, those held out included. */
  readonly runs: readonly AnalysedRun[]
  readonly leftOut: readonly { readonly name: string; readonly why: string }[]
  readonly notices: readonly string[]
  readonly law: LossLawBootstrap
  /** Runs that the law was fitted to; its residuals are in their order. */
  readonly fitted: readonly AnalysedRun[]
  readonly extrapolation: Extrapolation | null
  /** How far laws of smaller budgets missed the larger ones of the fitted runs; null where that cannot be seen. */
  readonly spread: ExtrapolationSpread | null
  /** Loss of a new run with the interval in which it lies, widened beyond the compute of the fitted runs. */
  readonly predict: (n: number, d: number) => PredictedRun
  readonly isoFlop: IsoFlopFit | null
  /** Of the best loss of each budget, over compute. */
  readonly frontier: PowerLawFit | null
}

/** What a law says of a run that is not trained yet. */
export interface PredictedRun {
  readonly loss: number
  readonly interval: Interval
  /** Powers of ten between the largest compute that was fitted and that of the run; 0 or less where it lies among them. */
  readonly decades: number
}

/**
 * Fits everything that a table of results allows.
 *
 * @throws UsageError where not even the law can be fitted, with the reason
 */
export function analyse(rows: readonly ResultRow[], options: AnalysisOptions): Analysis {
  const { size, holdOutAbove, level, measure } = options
  const chosen = withPatch(rows, options.patch)
  const judged = measure === undefined ? chosen : withMeasure(chosen, measure)
  const all = scalingRuns(judged, size)
  const unknown = judged.filter((row) => !all.some((run) => run.row === row))
  if (all.length === 0) {
    const [counted, other] = size === 'params' ? ['params', 'multiply-adds'] : ['multiply-adds', 'params']
    throw new UsageError(`no run can be fitted: the ${counted} of none are known; try --size ${other}`)
  }
  // Steps are whole, so that runs of one budget differ a little in their compute.
  const isAbove = ({ budget, compute }: AnalysedRun) =>
    holdOutAbove !== undefined && (budget ?? compute) > holdOutAbove * (1 + 1e-9)
  const { kept, table, leftOut, notices } = checkInput(() => screenRuns(all, isAbove), strip)
  const bootstrap = {
    estimator: options.estimator,
    numResamples: options.resamples,
    seed: options.seed,
    level,
  }
  const isHeldOut = (row: number) => isAbove(kept[row])
  if (holdOutAbove !== undefined && !kept.some((_, row) => isHeldOut(row))) {
    const most = Math.max(...kept.map(({ budget, compute }) => budget ?? compute))
    throw new UsageError(
      `--hold-out-above ${holdOutAbove} holds nothing out: the largest run took ${most.toPrecision(3)} multiply-adds`,
    )
  }
  const said = (message: string) =>
    leftOut.length === 0
      ? strip(message)
      : `${strip(message)} (left out: ${leftOut.map(({ run, why }) => `${run.name}, since ${why}`).join('; ')})`
  const extrapolation =
    holdOutAbove === undefined ? null : checkInput(() => heldOutExtrapolation(table, isHeldOut, bootstrap), said)
  const law = extrapolation?.bootstrap ?? checkInput(() => bootstrapLossLaw(table, bootstrap), said)
  const fitted = kept.filter((_, row) => !isHeldOut(row))
  const spread = extrapolationSpread(columnsOf(fitted), { estimator: options.estimator })
  const most = Math.max(...fitted.map(({ n, d }) => n * d))
  const mixed = patchNotice(fitted, law.fit.law)
  const iso = orReason(() => isoFlopOf(fitted, level))
  const front = orReason(() => frontierOf(fitted, level))
  return {
    size,
    lossName: measure ?? 'held-out error',
    lossInterval: ({ row }) => intervalOf(row, measure),
    level,
    runs: kept,
    leftOut: [
      ...leftOut.map(({ run, why }) => ({ name: run.name, why })),
      ...unknown.map(({ name }) => ({ name, why: `its ${size} are not known` })),
    ],
    notices: [...notices, ...computeNotice(all), ...(mixed === null ? [] : [mixed]), ...iso.reasons, ...front.reasons],
    law,
    fitted,
    extrapolation,
    spread,
    predict(n, d) {
      const { loss, run } = law.predict(n, d)
      const decades = Math.log10((n * d) / most)
      return { loss, decades, interval: spread === null ? run : widenedInterval(run, loss, decades, spread, level) }
    },
    isoFlop: iso.value,
    frontier: front.value,
  }
}

function columnsOf(runs: readonly AnalysedRun[]) {
  return { n: runs.map(({ n }) => n), d: runs.map(({ d }) => d), loss: runs.map(({ loss }) => loss!) }
}

/** Compute that was not told, and what it was taken for. */
function computeNotice(runs: readonly AnalysedRun[]): string[] {
  if (!runs.some(({ row }) => row.compute === null && row.multiplyAdds === null)) return []
  return [
    'compute is taken for 3 multiply-adds a parameter and example; where parameters are used several times an example, as by the tokens of a DiT, the table needs multiplyAdds or compute',
  ]
}

/** Rows whose loss is a measure of samples. A run without it has no loss. */
function withMeasure(rows: readonly ResultRow[], measure: MeasureName): ResultRow[] {
  if (BETTER[measure] === 'more') {
    throw new UsageError(
      `--measure ${measure}: the law is for what falls as networks and data grow, and ${measure} is better where it is larger`,
    )
  }
  if (!rows.some(({ measures }) => measures[measure] !== undefined)) {
    const known = [...new Set(rows.flatMap(({ measures }) => Object.keys(measures)))]
    throw new UsageError(
      `--measure ${measure}: no run has it${known.length === 0 ? '; a grid whose "train" has "evalMeasures" measures samples' : `; runs have ${known.join(', ')}`}`,
    )
  }
  return rows.map((row) => ({ ...row, loss: Number.isNaN(row.loss) ? NaN : (row.measures[measure]?.value ?? null) }))
}

function intervalOf({ measures }: ResultRow, measure: MeasureName | undefined): { low: number; high: number } | null {
  const { low = null, high = null } = (measure === undefined ? undefined : measures[measure]) ?? {}
  return low === null || high === null ? null : { low, high }
}

/** A fit that a table may be too small for, or why there is none. */
function orReason<T>(fit: () => T | null): { value: T | null; reasons: string[] } {
  try {
    return { value: fit(), reasons: [] }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { value: null, reasons: [strip(error.message)] }
  }
}

function isoFlopOf(runs: readonly AnalysedRun[], level: number): IsoFlopFit | null {
  const budgeted = runs.filter(({ budget }) => budget !== undefined)
  const sizes = new Map<number, Set<number>>()
  for (const { budget, n } of budgeted) sizes.set(budget!, (sizes.get(budget!) ?? new Set()).add(n))
  const usable = budgeted.filter(({ budget }) => sizes.get(budget!)!.size >= 3)
  if (new Set(usable.map(({ budget }) => budget)).size < 2) return null
  return fitIsoFlop(
    {
      compute: usable.map(({ budget }) => budget!),
      n: usable.map(({ n }) => n),
      loss: usable.map(({ loss }) => loss!),
    },
    { level },
  )
}

/** The smallest loss of each budget; without budgets, there is no frontier. */
function frontierOf(runs: readonly AnalysedRun[], level: number): PowerLawFit | null {
  const best = bestOfBudgets(runs)
  if (best.length < 2) return null
  return fitPowerLaw(
    best.map(({ compute }) => compute),
    best.map(({ loss }) => loss!),
    { level },
  )
}

/** The run with the smallest loss at each budget, the smallest budget first. */
export function bestOfBudgets(runs: readonly AnalysedRun[]): AnalysedRun[] {
  const best = new Map<number, AnalysedRun>()
  for (const run of runs) {
    if (run.budget === undefined) continue
    const before = best.get(run.budget)
    if (before === undefined || run.loss! < before.loss!) best.set(run.budget, run)
  }
  return [...best.values()].toSorted((a, b) => a.budget! - b.budget!)
}

/** A message of the library without the name of its function. */
const strip = (message: string) => message.replace(/^\w+: /, '')
