import { MEASURES, type MeasureName } from '@dit/evaluate'
import type { StepRecord } from '@dit/train-ddp'
import { loggedEvaluation } from '../in-training/evaluation-text.js'

/** A measure of samples, and the ends of its interval, which may not be known. */
export interface MeasuredValue {
  readonly value: number
  readonly low: number | null
  readonly high: number | null
}

/** Measures of a run's samples after its last step. */
export type RowMeasures = Readonly<Partial<Record<MeasureName, MeasuredValue>>>

/** What a step's evaluation found. */
export function measuresOf(record: StepRecord): RowMeasures {
  const results = loggedEvaluation(record)?.results ?? []
  const measured = results.map(({ measure, value, interval }) => {
    return [measure, { value, low: interval?.low ?? null, high: interval?.high ?? null }] as const
  })
  return Object.fromEntries(measured)
}

const PARTS = { '': 'value', Low: 'low', High: 'high' } as const
type Part = (typeof PARTS)[keyof typeof PARTS]

/** A column of a measure: `kid`, or an end of its interval, `kidLow` and `kidHigh`. */
export interface MeasureColumn {
  readonly name: string
  readonly measure: MeasureName
  readonly part: Part
}

const COLUMNS: readonly MeasureColumn[] = MEASURES.flatMap((measure) =>
  Object.entries(PARTS).map(([end, part]) => ({ name: `${measure}${end}`, measure, part })),
)

/** The columns of those measures that any of some rows has. */
export function measureColumns(rows: readonly { readonly measures: RowMeasures }[]): readonly MeasureColumn[] {
  return COLUMNS.filter(({ measure }) => rows.some(({ measures }) => measures[measure] !== undefined))
}

/** The column of a name, whatever its case. */
export function measureColumn(name: string): MeasureColumn | undefined {
  return COLUMNS.find((column) => column.name.toLowerCase() === name.toLowerCase())
}

/** Names of all columns, for advice. */
export const MEASURE_COLUMNS: readonly string[] = COLUMNS.map(({ name }) => name)

/**
 * Measures of cells that were read.
 *
 * @param cells numbers by their columns; null where a cell is empty
 * @returns a measure for each that has a value
 */
export function measuresFrom(cells: ReadonlyMap<MeasureColumn, number | null>): RowMeasures {
  const found: Partial<Record<MeasureName, Record<Part, number | null>>> = {}
  for (const [{ measure, part }, number] of cells) {
    const own = (found[measure] ??= { value: null, low: null, high: null })
    own[part] = number
  }
  return Object.fromEntries(Object.entries(found).filter(([, { value }]) => value !== null))
}
