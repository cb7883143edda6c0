import {
  bootstrapLossLaw,
  correlation,
  type Estimator,
  fitIsoFlop,
  fitLossLaw,
  fitPowerLaw,
  fitSaturatingPowerLaw,
  type LossLawFit,
  type LossTable,
} from '@dit/scaling'
import type { Fixture } from '../fixture.js'
import type { Case } from '../manifest.js'
import { type KindRunner, type Outcome, throws } from '../outcome.js'

const ESTIMATORS: Readonly<Record<string, Estimator>> = {
  huber: 'huber',
  log_squares: 'logSquares',
  linear_squares: 'linearSquares',
}
const QUANTITIES = ['E', 'A', 'B', 'alpha', 'beta'] as const

/** A case that must be refused or warned about, as its entry says. */
function checkClaims(entry: Case, outcome: Outcome, run: () => { readonly warnings: readonly string[] }): boolean {
  if (entry.must_refuse === true) outcome.fact('refuses the case', throws(run))
  if (entry.should_warn === true) outcome.fact('warns about the case', run().warnings.length > 0)
  return entry.must_refuse === true
}

const column = (fixture: Fixture, name: string) => Array.from(fixture.values(`in.${name}`))

/** An objective passes with what is wanted or less. */
function atMost(fixture: Fixture, name: string, got: ArrayLike<number>): number[] {
  const want = fixture.values(name)
  return Array.from(got, (value, i) => Math.max(value, want[i]))
}

/** Whether a fit lies below the wanted objective by more than its tolerance: the reference had not reached the minimum. */
const isBelow = (got: number, want: number) => got < want * (1 - 1e-8)

export const lossLaws: KindRunner = async (entry, fixture, outcome) => {
  const table = { n: column(fixture, 'n'), d: column(fixture, 'd'), loss: column(fixture, 'loss') }
  if (checkClaims(entry, outcome, () => fitLossLaw(table))) return
  for (const [name, estimator] of Object.entries(ESTIMATORS))
    setFit(outcome, fixture, name, fitLossLaw(table, { estimator }))
  if (fixture.has('in.rows')) setBootstrap(outcome, fixture, table)
}

/**
 * Resamples whose objective is smaller than the reference's pass, and have other parameters. Intervals are compared with the reference's
 * parameters in their place; that they are quantiles of the own ones is a claim of its own.
 */
function setBootstrap(outcome: Outcome, fixture: Fixture, table: LossTable): void {
  const [count, size] = fixture.shape('in.rows')
  const lists = fixture.ints('rows')
  const rows = Array.from({ length: count }, (_, i) => lists.subarray(i * size, (i + 1) * size))
  const { laws, intervals, objectives } = bootstrapLossLaw(table, { rows, kind: 'percentile' })
  const want = fixture.values('out.boot.objective')
  outcome.set('out.boot.objective', atMost(fixture, 'out.boot.objective', objectives))
  for (const name of QUANTITIES) {
    const wanted = fixture.values(`out.boot.${name}`)
    const own = laws.map((law) => law[name])
    const compared = own.map((value, i) => (isBelow(objectives[i], want[i]) ? wanted[i] : value))
    outcome.set(`out.boot.${name}`, compared)
    outcome.set(`out.interval.${name}`, percentiles(compared))
    const { low, high } = intervals[name]
    const [ownLow, ownHigh] = percentiles(own)
    outcome.fact(`the interval of ${name} lies between quantiles of the resamples`, low === ownLow && high === ownHigh)
  }
}

/** The 2.5 and 97.5 percent points, interpolated linearly. */
function percentiles(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const before = Math.floor(place)
    return sorted[before] + (place - before) * (sorted[Math.min(before + 1, sorted.length - 1)] - sorted[before])
  }
  return [at((1 - 0.95) / 2), at((1 + 0.95) / 2)]
}

function setFit(outcome: Outcome, fixture: Fixture, name: string, { law, exponentN, objective }: LossLawFit): void {
  const wanted = `out.${name}.objective`
  const isBetter = fixture.has(wanted) && isBelow(objective, fixture.values(wanted)[0])
  const set = (what: string, value: number) => {
    const full = `out.${name}.${what}`
    outcome.set(full, [isBetter ? fixture.values(full)[0] : value])
  }
  if (fixture.has(wanted)) outcome.set(wanted, atMost(fixture, wanted, [objective]))
  for (const quantity of QUANTITIES) set(quantity, law[quantity])
  set('exponent_n', exponentN)
}

export const isoFlop: KindRunner = async (entry, fixture, outcome) => {
  const table = { compute: column(fixture, 'c'), n: column(fixture, 'n'), loss: column(fixture, 'loss') }
  if (checkClaims(entry, outcome, () => fitIsoFlop(table))) return
  const { parabolas, exponentN, interceptN } = fitIsoFlop(table)
  const each = (of: (parabola: (typeof parabolas)[number]) => number) => parabolas.map(of)
  outcome.set(
    'out.n_opt',
    each(({ nOpt }) => nOpt),
  )
  outcome.set(
    'out.loss_opt',
    each(({ lossOpt }) => lossOpt),
  )
  outcome.set(
    'out.curvature',
    each(({ curvature }) => curvature),
  )
  outcome.set(
    'out.inside',
    each(({ isInside }) => Number(isInside)),
  )
  outcome.set('out.exponent_n', [exponentN])
  outcome.set('out.intercept_n', [interceptN])
}

export const powerLaws: KindRunner = async (entry, fixture, outcome) => {
  const [x, y] = [column(fixture, 'x'), column(fixture, 'y')]
  if (entry.name.startsWith('saturating') || fixture.has('out.floor')) return saturating(entry, fixture, outcome)
  if (checkClaims(entry, outcome, () => fitPowerLaw(x, y))) return
  const fit = fitPowerLaw(x, y)
  const { k, c, r, kError, kInterval } = fit
  outcome.set('out.k', [k])
  outcome.set('out.c', [c])
  outcome.set('out.r', [r])
  if (kError !== null) outcome.set('out.k_se', [kError])
  if (kInterval !== null) outcome.set('out.k_interval', [kInterval.low, kInterval.high])
  const { value, interval } = fit.predict(10 * Math.max(...x))
  if (interval !== null) outcome.set('out.predict', [value, interval.low, interval.high])
  outcome.set('out.r_log_log', [r])
  outcome.set('out.r_log_linear', [correlation(x.map(Math.log), y)])
  outcome.set('out.r_linear', [correlation(x, y)])
}

async function saturating(entry: Case, fixture: Fixture, outcome: Outcome): Promise<void> {
  const [x, y] = [column(fixture, 'x'), column(fixture, 'y')]
  if (checkClaims(entry, outcome, () => fitSaturatingPowerLaw(x, y))) return
  const { floor, c, k, objective } = fitSaturatingPowerLaw(x, y)
  if (fixture.has('out.objective')) outcome.set('out.objective', atMost(fixture, 'out.objective', [objective]))
  outcome.set('out.floor', [floor])
  outcome.set('out.c', [c])
  outcome.set('out.k', [k])
}
