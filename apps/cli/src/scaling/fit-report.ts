import type { Interval, LawQuantity } from '@dit/scaling'
import { formatCount, formatNumber, formatQuantity, formatTable } from '../terminal/format.js'
import { type Analysis, bestOfBudgets } from './analysis.js'

const ROWS: readonly (readonly [LawQuantity, string])[] = [
  ['E', 'floor: what no size and no data take away'],
  ['A', 'of size'],
  ['alpha', 'exponent of size'],
  ['B', 'of data'],
  ['beta', 'exponent of data'],
  ['exponentN', 'the best size grows as compute to this power'],
]

/** What a table of results says, for the user to read. */
export function fitLines(analysis: Analysis, estimator: string): string[] {
  const { law, fitted, size, level, leftOut, runs, lossName } = analysis
  const { fit, intervals } = law
  const percent = `${Number((100 * level).toPrecision(3))} %`
  const columns: readonly (readonly [string, readonly number[]])[] = [
    [`n, ${size}`, fitted.map(({ n }) => n)],
    ['d, examples', fitted.map(({ d }) => d)],
    [lossName === 'held-out error' ? 'loss' : `loss, ${lossName}`, fitted.map(({ loss }) => loss!)],
  ]
  return [
    `${formatCount(fitted.length)} runs fitted${runs.length > fitted.length ? `, ${runs.length - fitted.length} held out` : ''}${leftOut.length > 0 ? `, ${leftOut.length} left out` : ''}`,
    ...leftOut.map(({ name, why }) => `  left out: ${name}: ${why}`),
    ...formatTable(columns.map(([name, values]) => [`  ${name}`, rangeText(values)])),
    '',
    `loss = E + A / n^alpha + B / d^beta   (${estimator}; ${percent} intervals of ${law.laws.length} resamples${coverageText(analysis, estimator)})`,
    ...formatTable(
      ROWS.map(([name, meaning]) => {
        const value = name === 'exponentN' ? fit.exponentN : fit.law[name]
        return [`  ${name}`, formatNumber(value), intervalText(intervals[name]), meaning]
      }),
    ),
    `  ${scatterText(analysis)}`,
    ...extrapolationLines(analysis, percent),
    ...isoFlopLines(analysis, percent),
    ...frontierLines(analysis, percent),
  ]
}

/** How often 95 % intervals hold the truth, over simulated tables: `tools/scaling/coverage.ts`. */
const COVERAGE: Readonly<Record<string, string>> = { huber: '95 to 99 %', 'log-squares': '95 to 98 %' }

/** Runs of the smallest table that was simulated, and resamples of each. */
const [SIMULATED_RUNS, SIMULATED_RESAMPLES] = [24, 200]

function coverageText({ level, law, fitted }: Analysis, estimator: string): string {
  const share = COVERAGE[estimator]
  if (level !== 0.95 || share === undefined) return ''
  if (fitted.length < SIMULATED_RUNS || law.laws.length < SIMULATED_RESAMPLES)
    return `; how often they hold the truth is known for ${SIMULATED_RUNS} runs and ${SIMULATED_RESAMPLES} resamples or more`
  return `; they hold the truth in ${share} of simulated tables`
}

function scatterText({ fitted, law }: Analysis): string {
  const { residuals } = law.fit
  const mean = Math.sqrt(residuals.reduce((sum, residual) => sum + residual ** 2, 0) / residuals.length)
  const sizes = residuals.map(Math.abs)
  const worst = sizes.indexOf(Math.max(...sizes))
  return `runs lie about it by ${percentText(mean)} (root mean square); the farthest, ${fitted[worst].name}, by ${signed(residuals[worst])}`
}

function extrapolationLines({ extrapolation, runs }: Analysis, percent: string): string[] {
  if (extrapolation === null) return []
  const { runs: held, error, numInside } = extrapolation
  return [
    '',
    `runs that were held out: off by ${percentText(error)} (root mean square), ${numInside} of ${held.length} inside their ${percent} interval`,
    ...formatTable([
      ['  run', 'predicted', 'interval', 'measured', 'off by', ''],
      ...held.map(({ row, predicted, interval, actual, error: off, isInside }) => [
        `  ${runs[row].name}`,
        formatNumber(predicted),
        intervalText(interval),
        formatNumber(actual),
        signed(off),
        isInside ? '' : 'outside',
      ]),
    ]),
  ]
}

function isoFlopLines({ isoFlop }: Analysis, percent: string): string[] {
  if (isoFlop === null) return []
  const { parabolas, exponentN, interval } = isoFlop
  return [
    '',
    `best size of each budget, by parabolas: n_opt grows as compute^${formatNumber(exponentN)}${interval === null ? '' : ` (${percent}: ${intervalText(interval)})`}`,
    ...formatTable([
      ['  multiply-adds', 'n_opt', 'loss there', ''],
      ...parabolas.map(({ compute, nOpt, lossOpt, isInside }) => [
        `  ${quantityText(compute)}`,
        formatQuantity(nOpt),
        formatNumber(lossOpt),
        isInside ? '' : 'outside the sizes',
      ]),
    ]),
  ]
}

function frontierLines({ frontier, fitted }: Analysis, percent: string): string[] {
  if (frontier === null) return []
  const { k, c, kInterval, r } = frontier
  const count = bestOfBudgets(fitted).length
  const interval = kInterval === null ? '' : ` (${percent}: ${intervalText(kInterval)})`
  return [
    '',
    `best loss of ${count} budgets = ${formatNumber(c)} compute^-${formatNumber(k)}${interval}; correlation of logarithms ${r.toFixed(3)}`,
  ]
}

/** What the user should know before believing any of it. */
export function fitNotices({ notices, law, isoFlop, frontier }: Analysis): string[] {
  return [
    ...new Set([
      ...notices,
      ...law.warnings,
      ...(isoFlop?.warnings ?? []).map((text) => `parabolas: ${text}`),
      ...(frontier?.warnings ?? []).map((text) => `best losses: ${text}`),
    ]),
  ]
}

export function intervalText({ low, high }: Interval): string {
  return `${formatNumber(low)} to ${formatNumber(high)}`
}

/** `6.056 G`; above a thousand T with a power of ten. */
export function quantityText(value: number): string {
  return value < 1e15 ? formatQuantity(value) : value.toPrecision(3).replace('e+', 'e')
}

function rangeText(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const text = low < 1 ? formatNumber : formatQuantity
  return `${text(low)} to ${text(high)}, a factor of ${formatNumber(Number((high / low).toPrecision(2)))}`
}

export function percentText(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`
}

function signed(residual: number): string {
  return `${residual < 0 ? '' : '+'}${percentText(Math.expm1(residual))}`
}
