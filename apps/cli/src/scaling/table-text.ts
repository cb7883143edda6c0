import { ALIASES, type Column, COLUMNS, type ResultRow } from './row.js'
import { MEASURE_COLUMNS, type MeasureColumn, measureColumn, measureColumns, measuresFrom } from './row-measures.js'
import { didYouMean } from '../settings/suggest.js'
import { UsageError } from '../terminal/errors.js'

/** Rows as CSV, numbers with all their digits; what is not known is empty. */
export function toCsv(rows: readonly ResultRow[]): string {
  const measured = measureColumns(rows)
  const header = [...COLUMNS, ...measured.map(({ name }) => name)]
  const lines = rows.map((row) => {
    const measures = measured.map(({ measure, part }) => row.measures[measure]?.[part] ?? null)
    return [...COLUMNS.map((column) => row[column]), ...measures].map(cellText).join(',')
  })
  return `${[header.join(','), ...lines].join('\n')}\n`
}

function cellText(value: ResultRow[Column]): string {
  if (value === null) return ''
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  const text = String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * Rows of a table in CSV with a header, or in JSON: a list of objects.
 *
 * @throws UsageError that names the file, the line and what is wrong there
 */
export function parseTable(path: string, text: string): ResultRow[] {
  const isJson = /^\s*[[{]/.test(text)
  const rows = isJson ? jsonRows(path, text) : csvRows(path, text)
  if (rows.length === 0) throw new UsageError(`${path} has no rows`)
  return rows.map(({ cells, line }) => toRow(`${path}: ${line}`, cells))
}

interface RawRow {
  readonly cells: Readonly<Record<string, unknown>>
  readonly line: string
}

function jsonRows(path: string, text: string): RawRow[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new UsageError(`${path} is not valid JSON: ${(cause as Error).message}`, { cause })
  }
  const list = Array.isArray(value) ? value : (value as { readonly rows?: unknown }).rows
  if (!Array.isArray(list) || list.some((row) => typeof row !== 'object' || row === null))
    throw new UsageError(
      `${path} must hold a list of objects, one a run, with keys such as ${COLUMNS.slice(1, 4).join(', ')}`,
    )
  return list.map((cells, i) => ({ cells: cells as Record<string, unknown>, line: `row ${i + 1}` }))
}

function csvRows(path: string, text: string): RawRow[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, i) => ({ cells: splitLine(line), line: `line ${i + 1}` }))
    .filter(({ cells }) => cells.length > 1 || cells[0].trim() !== '')
  const [header, ...rest] = lines
  if (header === undefined) throw new UsageError(`${path} is empty`)
  if (header.cells.length === 1 && header.cells[0].includes(';'))
    throw new UsageError(`${path}: the header has semicolons; cells must be separated by commas`)
  for (const name of header.cells) mustBeKnown(`${path}: the header`, name.trim())
  return rest.map(({ cells, line }) => {
    if (cells.length !== header.cells.length) {
      throw new UsageError(`${path}: ${line} has ${cells.length} cells, but the header has ${header.cells.length}`)
    }
    return { cells: Object.fromEntries(header.cells.map((name, i) => [name.trim(), cells[i].trim()])), line }
  })
}

/** Cells of a line; a cell in double quotes may hold commas, and two quotes for one. */
function splitLine(line: string): string[] {
  // Each cell with a comma before it, the first one, too.
  const cells = [...`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g)]
  return cells.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
}

const NUMBERS = COLUMNS.filter((column) => column !== 'name' && column !== 'finished')

function toRow(where: string, cells: Readonly<Record<string, unknown>>): ResultRow {
  const known: Partial<Record<Column, unknown>> = {}
  const measured = new Map<MeasureColumn, number | null>()
  for (const [name, value] of Object.entries(cells)) {
    const column = columnNamed(name)
    const measure = measureColumn(name)
    if (column !== undefined) known[column] = value
    // A multiply-add is two of them.
    else if (name.toLowerCase() === 'flops') known.compute = halfOf(numberIn(where, name, value))
    else if (measure !== undefined) measured.set(measure, numberIn(where, measure.name, value, 'any'))
    else mustBeKnown(where, name)
  }
  const numbers = Object.fromEntries(NUMBERS.map((column) => [column, numberIn(where, column, known[column])]))
  const { examples, params, multiplyAdds } = numbers
  if (examples === null) throw new UsageError(`${where} has no examples, the number that the run has drawn`)
  if (params === null && multiplyAdds === null)
    throw new UsageError(`${where} has neither params nor multiplyAdds, the size of the network`)
  return {
    ...(numbers as Omit<ResultRow, 'name' | 'finished' | 'measures'>),
    measures: measuresFrom(measured),
    name: isPlain(known.name) ? String(known.name) : where,
    finished: isFinished(where, known.finished),
  }
}

function mustBeKnown(where: string, name: string): void {
  if (columnNamed(name) !== undefined || measureColumn(name) !== undefined || name.toLowerCase() === 'flops') return
  const hint = didYouMean(name, [...COLUMNS, ...MEASURE_COLUMNS])
  throw new UsageError(`${where}: unknown column "${name}"${hint === '' ? '; leave out what is not of a run' : hint}`)
}

const halfOf = (value: number | null) => (value === null ? null : value / 2)

function columnNamed(name: string): Column | undefined {
  const found = COLUMNS.find((column) => column.toLowerCase() === name.toLowerCase())
  return found ?? ALIASES[name.toLowerCase()]
}

const isPlain = (value: unknown) => (typeof value === 'string' && value !== '') || typeof value === 'number'

function numberIn(where: string, column: string, value: unknown, sign: 'positive' | 'any' = 'positive'): number | null {
  if (value === undefined || value === null || value === '') return null
  const number = typeof value === 'string' ? Number(value.replaceAll('_', '')) : value
  // A run that diverged has no number for its loss.
  if (column === 'loss' && typeof value === 'string' && /^[-+]?(nan|inf(inity)?)$/i.test(value)) return NaN
  if (typeof number !== 'number' || !Number.isFinite(number))
    throw new UsageError(`${where}: ${column} must be a number (got ${JSON.stringify(value)})`)
  if (sign === 'positive' && column !== 'loss' && column !== 'seed' && number < 0)
    throw new UsageError(`${where}: ${column} must not be negative (got ${number})`)
  return number
}

function isFinished(where: string, value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).toLowerCase()
  if (['yes', 'true', '1'].includes(text)) return true
  if (['no', 'false', '0'].includes(text)) return false
  throw new UsageError(`${where}: finished must be yes or no (got ${JSON.stringify(value)})`)
}
