import type { Agreement } from './agreement.js'
import type { BenchCase, Tolerance } from './cases.js'
import { type EngineName, isBf16, rowName } from './engines.js'
import type { Measured } from './run-case.js'

/** The results of a case as lines of text. Without agreement there are no ratios. */
export function caseTable(
  { name, flops, tolerance }: BenchCase,
  measured: readonly Measured[],
  agreement: Agreement,
  baseline: EngineName,
): string {
  const work = flops === null ? '' : ` (${significant(flops / 1e9)} GFLOP a repetition)`
  if (measured.length === 0) return `${name}${work}: no engine ran it`
  const against = measured.find(({ engine }) => engine === baseline) ?? measured[0]
  const areComparable = agreement.complaints.length === 0
  const head = ['engine', 'median ms', 'spread', 'GFLOP/s', 'cores', 'rounds', 'peak', 'above state', 'counted', 'idle']
  const lines = measured.map((row) => [
    rowName({ engine: row.engine as EngineName, threads: row.threads }),
    significant(row.medianMs),
    significant(row.spreadMs),
    row.gflops === null ? '-' : significant(row.gflops),
    row.coresUsed.toFixed(2),
    String(row.timesMs.length),
    `${mebibytes(row.peakBytes)}${row.isPeakReset ? '' : '*'}`,
    mebibytes(row.peakBytes - row.stateBytes),
    row.backendPeakBytes === null ? '-' : mebibytes(row.backendPeakBytes - row.stateBytes),
    mebibytes(row.idleBytes),
    ...(areComparable ? [`${significant(against.medianMs / row.medianMs)}x`] : []),
  ])
  if (areComparable) head.push(`vs ${rowName({ engine: against.engine as EngineName, threads: against.threads })}`)
  const verdict = areComparable
    ? `checked: largest difference ${agreement.worst.toPrecision(2)} of the tolerance${toleranceText(tolerance, measured)}`
    : ['NO RATIOS, the engines do not compute the same:', ...agreement.complaints].join('\n  ')
  return `${name}${work}\n${aligned([head, ...lines])}\n  ${verdict}`
}

/** ` (0.01 in bfloat16)`: the largest of each precision that was measured. */
function toleranceText({ f32, bf16 }: Tolerance, measured: readonly Measured[]): string {
  const has = measured.some(({ engine }) => isBf16(engine as EngineName))
  const plain = `${Math.max(...f32)} in float32`
  return ` (${has ? `${plain}, ${Math.max(...bf16)} in bfloat16` : plain}, over 1 + the figure)`
}

/** The first column to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column])
  return rows.map((row) => `  ${row.map(cell).join('  ')}`).join('\n')
}

/** Three digits, without an exponent. */
function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

/** MiB */
function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
