import type { Result, Results } from './results.js'
import { ROWS } from './rows.js'

/** What the seeds of a row say together. */
interface Summary {
  readonly row: string
  readonly kids: readonly number[]
  readonly low: number
  readonly high: number
  readonly classes: number
}

/** Tables in Markdown, one a set and budget, the best row first. Several seeds: each value, and the widest of their intervals. */
export function speedrunTables({ results }: Pick<Results, 'results'>): string {
  return groupedBy(results, ({ set, minutes }) => `${set}, ${minutes} minutes`)
    .map(([title, some]) => `## ${title}\n\n${tableOf(some)}`)
    .join('\n\n')
}

function tableOf(results: readonly Result[]): string {
  const rows = groupedBy(results, ({ row }) => row)
    .map(([row, some]): Summary => ({
      row,
      kids: some.toSorted((a, b) => a.seed - b.seed).map(({ kid }) => kid.value),
      low: Math.min(...some.map(({ kid }) => kid.low)),
      high: Math.max(...some.map(({ kid }) => kid.high)),
      classes: some.reduce((sum, { classes }) => sum + classes.share, 0) / some.length,
    }))
    .toSorted((a, b) => mean(a.kids) - mean(b.kids))
  const lines = rows.map(({ row, kids, low, high, classes }) => {
    const about = ROWS.find(({ name }) => name === row)?.about ?? ''
    return `| ${row} | ${about} | ${kids.map(number).join(', ')} | ${number(low)} to ${number(high)} | ${(100 * classes).toFixed(1)} % |`
  })
  const head = '| row | what | KID of each seed | interval | class found |\n| --- | --- | --- | --- | --- |'
  return [head, ...lines].join('\n')
}

function groupedBy(results: readonly Result[], keyOf: (result: Result) => string): [string, Result[]][] {
  const groups = new Map<string, Result[]>()
  for (const result of results) groups.set(keyOf(result), [...(groups.get(keyOf(result)) ?? []), result])
  return [...groups]
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
/** Three digits. */
const number = (value: number) => String(Number(value.toPrecision(3)))
