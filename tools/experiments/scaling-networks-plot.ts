import { FONT } from '../../apps/cli/src/plot/fonts.js'
import { quantityText } from '../../apps/cli/src/scaling/fit-report.js'
import type { ResultRow } from '../../apps/cli/src/scaling/row.js'
import type { MeasuredValue } from '../../apps/cli/src/scaling/row-measures.js'
import type { MeasureName } from '../../packages/evaluate/src/index.js'
import { type Axis, curve, type Frame, legend, panelSvg } from '../../packages/evaluate/src/plot/index.js'
import { valueAxis } from '../../packages/evaluate/src/plot/scales.js'

interface MeasuredRun {
  readonly compute: number
  readonly loss: number
  readonly value: MeasuredValue | null
}

/** A model of a grid, with its runs by budget, the smallest first. */
export interface MeasuredModel {
  readonly name: string
  /** `patch 4`, or `U-Net` for a network without patches. */
  readonly kind: string
  readonly params: number
  readonly multiplyAdds: number
  readonly budgets: readonly { readonly budget: number; readonly runs: readonly MeasuredRun[] }[]
}

/** Colours that are told apart by colour-blind people as well (Okabe & Ito 2008). */
const COLORS: Readonly<Record<string, string>> = {
  'patch 2': '#cc79a7',
  'patch 4': '#0072b2',
  'patch 8': '#009e73',
  'U-Net': '#d55e00',
}
const [WIDTH, HEIGHT, GAP, TOP, LEFT, RIGHT] = [880, 380, 92, 44, 84, 880 - 190]

/** Finished runs as models, those with the fewest multiply-adds first. */
export function modelsOf(rows: readonly ResultRow[], measure: MeasureName): MeasuredModel[] {
  const complete = rows.flatMap((row) => {
    const { params, multiplyAdds, budget, loss, compute, patch } = row
    if (!row.finished || params === null || multiplyAdds === null || budget === null || loss === null) return []
    const kind = patch === null ? 'U-Net' : `patch ${patch}`
    return [
      {
        name: row.name.replace(/-[\d.e]+-s\d+$/, ''),
        kind,
        params,
        multiplyAdds,
        budget,
        run: { compute: compute!, loss, value: row.measures[measure] ?? null },
      },
    ]
  })
  const names = [...new Set(complete.map(({ name }) => name))]
  const models = names.map((name) => {
    const own = complete.filter((row) => row.name === name)
    const budgets = [...new Set(own.map(({ budget }) => budget))].toSorted((a, b) => a - b)
    const { kind, params, multiplyAdds } = own[0]
    const runsOf = (budget: number) => own.filter((row) => row.budget === budget).map(({ run }) => run)
    return { name, kind, params, multiplyAdds, budgets: budgets.map((budget) => ({ budget, runs: runsOf(budget) })) }
  })
  return models.toSorted((a, b) => a.multiplyAdds - b.multiplyAdds)
}

/** Two panels over compute, as an SVG: the held-out error, and a measure of samples with its intervals. A line joins means over seeds. */
export function networksPlot(models: readonly MeasuredModel[], measure: MeasureName): string {
  const ofLoss = ({ loss }: MeasuredRun): MeasuredValue => ({ value: loss, low: loss, high: loss })
  const panels = [
    panel(models, 'held-out error', ofLoss, TOP),
    panel(models, measure, ({ value }) => value, TOP + HEIGHT + GAP),
  ]
  const height = TOP + 2 * (HEIGHT + GAP)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"><rect width="100%" height="100%" fill="#fff"/><g font-family="${FONT}, sans-serif" font-size="12">${panels.join('')}</g></svg>\n`
}

function panel(
  models: readonly MeasuredModel[],
  name: string,
  valueOf: (run: MeasuredRun) => MeasuredValue | null,
  top: number,
): string {
  const frame: Frame = { left: LEFT, right: RIGHT, top, bottom: top + HEIGHT }
  const all = models.flatMap(({ budgets }) => budgets.flatMap(({ runs }) => runs))
  const values = all.flatMap((run) => valueOf(run) ?? [])
  const x = {
    ...valueAxis(
      all.map(({ compute }) => compute),
      'log',
      [frame.left, frame.right],
    ),
    text: quantityText,
  }
  const y = valueAxis(
    values.flatMap(({ value, low, high }) => [low ?? value, high ?? value]),
    'log',
    [frame.bottom, frame.top],
  )
  const seen = models.map((model) => seenOf(model, valueOf))
  const lines = seen.map((model) => lineSvg(model, x, y))
  const kinds = Object.keys(COLORS).filter((kind) => models.some((model) => model.kind === kind))
  const entries = kinds.map((kind) => ({ kind: 'line', color: COLORS[kind], text: kind }) as const)
  const xLabel = 'multiply-adds of training (log scale)'
  return (
    panelSvg({
      frame,
      x,
      y,
      xLabel,
      yLabel: `${name} (log scale)`,
      content: `${lines.join('')}${labelsSvg(seen, x, y)}`,
    }) + legend({ ...frame, right: WIDTH - 4, top: top - 12 }, entries)
  )
}

/** What a panel shows of a model. */
interface SeenModel {
  readonly name: string
  readonly color: string
  readonly points: readonly { readonly at: number; readonly mean: number; readonly values: readonly MeasuredValue[] }[]
}

function seenOf(
  { name, kind, budgets }: MeasuredModel,
  valueOf: (run: MeasuredRun) => MeasuredValue | null,
): SeenModel {
  const points = budgets.flatMap(({ runs }) => {
    const values = runs.flatMap((run) => valueOf(run) ?? [])
    const mean = values.reduce((sum, { value }) => sum + value, 0) / values.length
    return values.length === 0 ? [] : [{ at: runs[0].compute, mean, values }]
  })
  return { name, color: COLORS[kind], points }
}

/** A line through the means of the budgets, and each run with its interval. */
function lineSvg({ color, points }: SeenModel, x: Axis, y: Axis): string {
  const marks = points.flatMap(({ at, values }) =>
    values.map(({ value, low, high }) => {
      const [px, py] = [x.scale(at), y.scale(value)].map(round)
      return `<path d="M${px} ${round(y.scale(low ?? value))}V${round(y.scale(high ?? value))}" stroke="${color}"/><circle cx="${px}" cy="${py}" r="3.5" fill="${color}"/>`
    }),
  )
  const at = points.map((point) => point.at)
  const means = points.map(({ mean }) => mean)
  return curve(x, y, at, means, color) + marks.join('')
}

/** Pixels from a label to the next one below it, at least. */
const LINE = 13

/** The names of models behind their last points, below each other where they would overlap. */
function labelsSvg(models: readonly SeenModel[], x: Axis, y: Axis): string {
  const labels = models.flatMap(({ name, color, points }) => {
    const last = points.at(-1)
    return last === undefined
      ? []
      : [{ name, color, x: round(x.scale(last.at)) + 28, y: round(y.scale(last.mean)) + 4 }]
  })
  const lowest = new Map<number, number>()
  return labels
    .toSorted((a, b) => a.y - b.y)
    .map((label) => {
      const column = Math.round(label.x)
      const at = Math.max(label.y, (lowest.get(column) ?? -Infinity) + LINE)
      lowest.set(column, at)
      return `<text x="${label.x}" y="${at}" fill="${label.color}">${label.name}</text>`
    })
    .join('')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
