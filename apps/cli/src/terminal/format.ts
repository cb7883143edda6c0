import { format } from 'd3-format'

/** 1234567 -> '1,234,567' */
export const formatCount: (value: number) => string = format(',d')

/** Four significant digits: 0.0123456 -> '0.01235', 0.0001 -> '1e-4'. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return '0'
  const size = Math.abs(value)
  return size >= 1e-3 && size < 1e5
    ? String(Number(value.toPrecision(4)))
    : Number(value.toPrecision(3)).toExponential().replace('e+', 'e')
}

/** 6056000000 -> '6.056 G' */
export function formatQuantity(value: number): string {
  if (value < 1e4) return formatCount(value)
  const [unit, size] = (
    [
      ['T', 1e12],
      ['G', 1e9],
      ['M', 1e6],
      ['k', 1e3],
    ] as const
  ).find(([, each]) => value >= each)!
  return `${Number((value / size).toPrecision(4))} ${unit}`
}

/** 245000000 -> '233.7 MiB' */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const [unit, size] = (
    [
      ['GiB', 2 ** 30],
      ['MiB', 2 ** 20],
      ['KiB', 2 ** 10],
    ] as const
  ).find(([, each]) => bytes >= each)!
  return `${Number((bytes / size).toPrecision(4))} ${unit}`
}

/** 92 -> '1:32', 3700 -> '1:01:40' */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const shown = parts[0] > 0 ? parts : parts.slice(1)
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':')
}

/** A time that is only known roughly: 0.0648 -> '65 ms', 92 -> '1.5 min', 700 -> '12 min', 9000 -> '2.5 h'. */
export function formatRough(seconds: number): string {
  const [unit, size] = ROUGH_UNITS.find(([, , below]) => seconds < below)!
  const value = seconds / size
  return `${value >= 9.95 ? formatCount(Math.round(value)) : Number(value.toPrecision(2))} ${unit}`
}

/** Units with their seconds, and up to where each is used. */
const ROUGH_UNITS: readonly (readonly [unit: string, seconds: number, below: number])[] = [
  ['ms', 0.001, 0.0995],
  ['s', 1, 90],
  ['min', 60, 5400],
  ['h', 3600, 172_800],
  ['days', 86_400, Infinity],
]

/** A number of things: (1, 'class', 'classes') -> '1 class', (1200, 'step', 'steps') -> '1,200 steps'. */
export function formatCounted(count: number, one: string, more: string): string {
  return `${formatCount(count)} ${count === 1 ? one : more}`
}

/** 0.956 -> '95.6 %' */
export function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** Lines of two or more columns, the first left-aligned, numbers right-aligned where `right` says so. */
export function formatTable(rows: readonly (readonly string[])[], right: readonly boolean[] = []): string[] {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)))
  const pad = (cell: string, i: number) => (right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
  return rows.map((row) => row.map(pad).join('  ').trimEnd())
}
