import { lossAt } from '@dit/scaling'
import {
  type Axis,
  COLORS,
  curve,
  escapeXml,
  type Frame,
  legend,
  type LegendEntry,
  panelSvg,
  valueAxis,
} from '@dit/evaluate/plot'
import { FONT } from '../plot/fonts.js'
import { formatNumber, formatQuantity } from '../terminal/format.js'
import { type AnalysedRun, type Analysis, bestOfBudgets } from './analysis.js'
import { quantityText } from './fit-report.js'

const WIDTH = 960
/** Legends stand beside the frames, where they hide no run. */
const [LEFT, RIGHT, TOP, HEIGHT, GAP] = [92, WIDTH - 224, 76, 320, 72]
const RESIDUALS = 180

/** Colours that are told apart by colour-blind people as well (Okabe & Ito 2008). */
const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']

/** Of intervals about the law, over the farthest run from it. */
const WIDEST_INTERVAL = 3

/** Groups with a legend; of more, colours repeat and the legend shows the first. */
const MOST_ENTRIES = 10

interface Group {
  readonly name: string
  readonly color: string
  readonly runs: readonly AnalysedRun[]
}

/**
 * A scaling law and its runs as an SVG 960 pixels wide: loss over compute, a line for each size; loss over size, a line for each budget;
 * and how far each run lies from the law. Axes are logarithmic.
 */
export function scalingPlot(analysis: Analysis, title: string): string {
  const sizes = groupsBy(
    analysis.runs,
    ({ n }) => n,
    (n, runs) => `n ${formatQuantity(n)}${patchText(runs)}`,
  )
  const budgets = groupsBy(
    analysis.runs.filter(({ budget }) => budget !== undefined),
    ({ budget }) => budget!,
    (budget) => `${quantityText(budget)} multiply-adds`,
  )
  const panels = [
    { height: HEIGHT, draw: (frame: Frame) => computePanel(analysis, sizes, frame) },
    ...(budgets.length === 0 ? [] : [{ height: HEIGHT, draw: (frame: Frame) => sizePanel(analysis, budgets, frame) }]),
    { height: RESIDUALS, draw: (frame: Frame) => residualPanel(analysis, sizes, frame) },
  ]
  let top = TOP
  const drawn = panels.map(({ height, draw }) => {
    const svg = draw({ left: LEFT, right: RIGHT, top, bottom: top + height })
    top += height + GAP
    return svg
  })
  const { law, alpha, beta } = { law: analysis.law.fit.law, ...analysis.law.fit.law }
  const subtitle = `loss = ${formatNumber(law.E)} + ${formatNumber(law.A)} / n^${formatNumber(alpha)} + ${formatNumber(law.B)} / d^${formatNumber(beta)}  ·  n: ${analysis.size}  ·  d: examples  ·  ${analysis.fitted.length} runs fitted`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}">` +
    `<rect width="100%" height="100%" fill="#fff"/><g font-family="${FONT}, sans-serif" font-size="12" fill="${COLORS.text}">` +
    `<text x="${LEFT}" y="34" font-size="18" font-weight="bold">${escapeXml(title)}</text>` +
    `<text x="${LEFT}" y="56" font-size="13" fill="${COLORS.faint}">${escapeXml(subtitle)}</text>` +
    `${drawn.join('')}</g></svg>\n`
  )
}

function groupsBy(
  runs: readonly AnalysedRun[],
  key: (run: AnalysedRun) => number,
  name: (key: number, runs: readonly AnalysedRun[]) => string,
): Group[] {
  const keys = [...new Set(runs.map(key))].toSorted((a, b) => a - b)
  const own = (each: number) =>
    runs.filter((run) => key(run) === each).toSorted((a, b) => a.compute - b.compute || a.n - b.n)
  return keys.map((each, i) => ({
    name: name(each, own(each)),
    color: PALETTE[i % PALETTE.length],
    runs: own(each),
  }))
}

/** The patch size that all runs of a group share, if they have one. */
function patchText(runs: readonly AnalysedRun[]): string {
  const patches = new Set(runs.map(({ row }) => row.patch))
  const [patch] = patches
  return patches.size === 1 && patch !== null ? `, patch ${patch}` : ''
}

/** Loss over compute: a line of the law for each size, and the band in which the best use of compute lies. */
function computePanel(
  { runs, law, level, fitted, lossName, lossInterval }: Analysis,
  sizes: readonly Group[],
  frame: Frame,
): string {
  const x = logAxis(
    runs.map(({ compute }) => compute),
    [frame.left, frame.right],
  )
  const y = lossAxis(runs, frame)
  const lines = sizes.map(({ runs: own, color }) => {
    const perExample = own[0].compute / own[0].d
    const at = spaced(own[0].compute, own.at(-1)!.compute)
    return curve(
      x,
      y,
      at,
      at.map((compute) => lossAt(law.fit.law, own[0].n, compute / perExample)),
      color,
    )
  })
  const best = bestOfBudgets(fitted)
  const band = best.map((run) => ({ at: run.compute, ...law.predict(run.n, run.d).law }))
  const held = runs.filter((run) => !fitted.includes(run))
  const entries: LegendEntry[] = [
    ...sizes.slice(0, MOST_ENTRIES).map(({ name, color }) => ({ kind: 'point', color, text: name }) as const),
    ...(sizes.length > MOST_ENTRIES
      ? [{ kind: 'point', color: COLORS.faint, text: `and ${sizes.length - MOST_ENTRIES} more` } as const]
      : []),
    ...(band.length > 1
      ? [
          {
            kind: 'line',
            color: COLORS.raw,
            text: `law, best, ${Math.round(100 * level)} %`,
          } as const,
        ]
      : []),
    ...(held.length > 0 ? [{ kind: 'circle', color: COLORS.text, text: 'held out' } as const] : []),
  ]
  return panelSvg({
    frame,
    x,
    y,
    yLabel: `${lossName} (log scale)`,
    xLabel: 'multiply-adds of training (log scale)',
    content: `${bandSvg(x, y, band)}${lines.join('')}${whiskers(x, y, sizes, ({ compute }) => compute, lossInterval, frame)}${marks(x, y, sizes, ({ compute }) => compute, fitted)}${legend({ ...frame, right: WIDTH, top: frame.top - 12 }, entries)}`,
  })
}

/** Loss over size: a line of the law for each budget. */
function sizePanel(
  { runs, law, fitted, size, isoFlop, lossName, lossInterval }: Analysis,
  budgets: readonly Group[],
  frame: Frame,
): string {
  const x = logAxis(
    runs.map(({ n }) => n),
    [frame.left, frame.right],
  )
  const y = lossAxis(runs, frame)
  const lines = budgets.map(({ runs: own, color }) => {
    const [low, high] = [Math.min(...own.map(({ n }) => n)), Math.max(...own.map(({ n }) => n))]
    const at = low < high ? spaced(low, high) : [low]
    // Compute of one unit of size and one of data, as in this budget's runs.
    const cost = own.reduce((sum, run) => sum + run.compute / (run.n * run.d), 0) / own.length
    const compute = own.reduce((sum, run) => sum + run.compute, 0) / own.length
    return curve(
      x,
      y,
      at,
      at.map((n) => lossAt(law.fit.law, n, compute / (cost * n))),
      color,
    )
  })
  const vertices = (isoFlop?.parabolas ?? []).filter(({ isInside }) => isInside)
  const stars = vertices
    .map(
      ({ nOpt, lossOpt }) =>
        `<path d="M${round(x.scale(nOpt))} ${round(y.scale(lossOpt) - 7)}v14m-7 -7h14" stroke="${COLORS.text}" stroke-width="1.5"/>`,
    )
    .join('')
  const entries: LegendEntry[] = [
    ...budgets.slice(0, MOST_ENTRIES).map(({ name, color }) => ({ kind: 'line', color, text: name }) as const),
    ...(vertices.length > 0 ? [{ kind: 'cross', color: COLORS.text, text: 'parabolas' } as const] : []),
  ]
  return panelSvg({
    frame,
    x,
    y,
    yLabel: `${lossName} (log scale)`,
    xLabel: `size: ${size === 'params' ? 'parameters' : 'multiply-adds of a forward pass'} (log scale)`,
    content: `${lines.join('')}${whiskers(x, y, budgets, ({ n }) => n, lossInterval, frame)}${marks(x, y, budgets, ({ n }) => n, fitted)}${stars}${legend({ ...frame, right: WIDTH, top: frame.top - 12 }, entries)}`,
  })
}

/** How far runs lie from the law, in percent, over compute. */
function residualPanel({ runs, fitted, law }: Analysis, sizes: readonly Group[], frame: Frame): string {
  const off = (run: AnalysedRun) => 100 * (run.loss! / lossAt(law.fit.law, run.n, run.d) - 1)
  const x = logAxis(
    runs.map(({ compute }) => compute),
    [frame.left, frame.right],
  )
  const ends = runs.flatMap((run) => intervalEnds(run, law).map(Math.abs))
  const farthest = Math.max(0.1, ...runs.map((run) => Math.abs(off(run))))
  // Wide intervals are cut off, so that the runs stay apart.
  const most = Math.max(farthest, Math.min(Math.max(...ends), WIDEST_INTERVAL * farthest))
  const y = valueAxis([-1.1 * most, 1.1 * most], 'linear', [frame.bottom, frame.top])
  const zero = round(y.scale(0))
  const bars = runs.map((run) => intervalBar(x, y, run, law, frame))
  return panelSvg({
    frame,
    x,
    y,
    yLabel: 'off the law, %',
    xLabel: 'multiply-adds of training (log scale)',
    content: `<path d="M${frame.left} ${zero}H${frame.right}" stroke="${COLORS.faint}"/>${bars.join('')}${marks(x, y, sizes, ({ compute }) => compute, fitted, off)}`,
  })
}

/** The interval in which a run should lie, about the law, in percent. */
function intervalEnds({ n, d }: AnalysedRun, law: Analysis['law']): [low: number, high: number] {
  const { loss, run } = law.predict(n, d)
  return [100 * (run.low / loss - 1), 100 * (run.high / loss - 1)]
}

function intervalBar(x: Axis, y: Axis, run: AnalysedRun, law: Analysis['law'], { bottom, top }: Frame): string {
  const [low, high] = intervalEnds(run, law).map((end) => Math.min(bottom, Math.max(top, y.scale(end))))
  return `<path d="M${round(x.scale(run.compute))} ${round(low)}V${round(high)}" stroke="${COLORS.raw}" stroke-width="7" stroke-opacity="0.5"/>`
}

/** Runs as points; those held out of the fit as circles. */
function marks(
  x: Axis,
  y: Axis,
  groups: readonly Group[],
  at: (run: AnalysedRun) => number,
  fitted: readonly AnalysedRun[],
  value: (run: AnalysedRun) => number = ({ loss }) => loss!,
): string {
  const mark = (run: AnalysedRun, color: string) => {
    const fill = fitted.includes(run) ? color : '#fff'
    return `<circle cx="${round(x.scale(at(run)))}" cy="${round(y.scale(value(run)))}" r="4" fill="${fill}" stroke="${color}" stroke-width="1.5"><title>${escapeXml(`${run.name}: ${formatNumber(run.loss!)}`)}</title></circle>`
  }
  return groups.flatMap(({ runs, color }) => runs.map((run) => mark(run, color))).join('')
}

/** The interval of each run's own loss, where it is known, as a line; within the frame. */
function whiskers(
  x: Axis,
  y: Axis,
  groups: readonly Group[],
  at: (run: AnalysedRun) => number,
  intervalOf: Analysis['lossInterval'],
  { bottom, top }: Frame,
): string {
  const within = (loss: number) => (loss > 0 ? Math.min(bottom, Math.max(top, y.scale(loss))) : bottom)
  const line = (run: AnalysedRun, color: string) => {
    const interval = intervalOf(run)
    if (interval === null) return ''
    return `<path d="M${round(x.scale(at(run)))} ${round(within(interval.low))}V${round(within(interval.high))}" stroke="${color}" stroke-width="1.2"/>`
  }
  return groups.flatMap(({ runs, color }) => runs.map((run) => line(run, color))).join('')
}

function bandSvg(x: Axis, y: Axis, band: readonly { at: number; low: number; high: number }[]): string {
  if (band.length < 2) return ''
  const there = band.map(({ at, low }) => `${round(x.scale(at))} ${round(y.scale(low))}`)
  const back = band.toReversed().map(({ at, high }) => `${round(x.scale(at))} ${round(y.scale(high))}`)
  return `<path d="M${[...there, ...back].join('L')}Z" fill="${COLORS.raw}" fill-opacity="0.45"/>`
}

function lossAxis(runs: readonly AnalysedRun[], { bottom, top }: Frame): Axis {
  return valueAxis(
    runs.map(({ loss }) => loss!),
    'log',
    [bottom, top],
  )
}

/** A logarithmic axis of large numbers, which get a unit: 2 G. */
function logAxis(values: readonly number[], range: readonly [number, number]): Axis {
  const axis = valueAxis(values, 'log', range)
  return { ...axis, text: quantityText }
}

function spaced(low: number, high: number): number[] {
  return Array.from({ length: 40 }, (_, i) => low * (high / low) ** (i / 39))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
