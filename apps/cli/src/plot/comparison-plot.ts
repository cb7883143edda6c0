import {
  type Axis,
  chooseScale,
  COLORS,
  curve,
  defaultWindow,
  escapeXml,
  type Frame,
  legend,
  type LegendEntry,
  panelSvg,
  points,
  type ScaleKind,
  smooth,
  valueAxis,
} from '@dit/evaluate/plot'
import { bestOf, evaluatedSeries, type EvaluatedSeries } from './evaluated-series.js'
import { FONT } from './fonts.js'
import { unitAxis } from './unit-axis.js'
import { X_LABELS, type XKind } from './plotted-run.js'
import type { StepRecord } from '@dit/train-ddp'

/** A run among others. */
export interface ComparedRun {
  readonly name: string
  readonly records: readonly StepRecord[]
  /** What a step is on the x axis. */
  readonly unitsPerStep: number
  /** Losses of different kinds get an axis each. */
  readonly lossKind: string
  /** What its measures of samples depend on, in words; null where there are none. Those of different kinds get an axis each. */
  readonly evaluationKind: string | null
}

export interface ComparisonOptions {
  readonly title: string
  readonly subtitle: string
  readonly x: XKind
  /** Of the losses; chosen by their range if absent. */
  readonly scale?: ScaleKind
  /** Steps that a line of losses averages. */
  readonly window?: number
}

const WIDTH = 960
const [LEFT, RIGHT, TOP, HEIGHT, GAP, BELOW] = [92, WIDTH - 28, 76, 300, 28, 64]

/** Colours that are told apart by colour-blind people as well (Okabe & Ito 2008); of more runs, lines are dashed. */
const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']
const DASHES = ['', '8 5', '2 4']

interface Look {
  readonly color: string
  readonly dash: string
}

interface Line extends Look {
  readonly name: string
  readonly at: readonly number[]
  readonly values: readonly number[]
}

/**
 * Held-out errors, measures of samples and losses of several runs, as an SVG 960 pixels wide. All held-out errors share an axis, and so do
 * losses, and measures, of one kind; those of different kinds, which are not comparable, get a panel for each kind.
 */
export function comparisonPlot(runs: readonly ComparedRun[], options: ComparisonOptions): string {
  const last = Math.max(...runs.map(({ records, unitsPerStep }) => records.at(-1)!.step * unitsPerStep))
  const x = unitAxis(last, [LEFT, RIGHT])
  const looks = runs.map((_, i): Look => ({
    color: PALETTE[i % PALETTE.length],
    dash: DASHES[Math.floor(i / PALETTE.length) % DASHES.length],
  }))
  const heldOut = runs.map((run, i) => heldOutLine(run, looks[i])).filter(({ values }) => values.length > 0)
  const kinds = [...new Set(runs.map(({ lossKind }) => lossKind))]
  const panels = [
    ...(heldOut.length === 0 ? [] : [{ lines: heldOut, label: 'held-out error', scale: undefined }]),
    ...evaluatedPanelsOf(runs, looks),
    ...kinds.map((kind, k) => ({
      lines: runs.flatMap((run, i) => (run.lossKind === kind ? [lossLine(run, looks[i], options.window)] : [])),
      label: kinds.length === 1 ? 'loss' : `loss of kind ${k + 1}`,
      scale: options.scale,
    })),
  ]
  const drawn = panels.map(({ lines, label, scale }, i) =>
    linesPanel(x, lines, {
      frame: { left: LEFT, right: RIGHT, top: TOP + i * (HEIGHT + GAP), bottom: TOP + i * (HEIGHT + GAP) + HEIGHT },
      label,
      scale,
      xLabel: i === panels.length - 1 ? X_LABELS[options.x] : undefined,
    }),
  )
  const height = TOP + panels.length * (HEIGHT + GAP) - GAP + BELOW
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">` +
    `<rect width="100%" height="100%" fill="#fff"/><g font-family="${FONT}, sans-serif" font-size="12" fill="${COLORS.text}">` +
    `<text x="${LEFT}" y="34" font-size="18" font-weight="bold">${escapeXml(options.title)}</text>` +
    `<text x="${LEFT}" y="56" font-size="13" fill="${COLORS.faint}">${escapeXml(options.subtitle)}</text>` +
    `${drawn.join('')}</g></svg>\n`
  )
}

/** A panel for each measure of samples that two runs have in a way that can be compared. */
function evaluatedPanelsOf(
  runs: readonly ComparedRun[],
  looks: readonly Look[],
): { lines: Line[]; label: string; scale: undefined }[] {
  const kinds = [...new Set(runs.map(({ evaluationKind }) => evaluationKind).filter((kind) => kind !== null))]
  return kinds.flatMap((kind, k) => {
    const all = runs.flatMap((run, i) =>
      run.evaluationKind === kind
        ? evaluatedSeries(run.records).map((series) => ({ run, look: looks[i], series }))
        : [],
    )
    return [...new Set(all.map(({ series }) => series.measure))].map((measure) => ({
      lines: all
        .filter(({ series }) => series.measure === measure)
        .map(({ run, look, series }) => evaluatedLine(run, look, series)),
      label: kinds.length === 1 ? measure : `${measure} of kind ${k + 1}`,
      scale: undefined,
    }))
  })
}

function evaluatedLine({ name, unitsPerStep }: ComparedRun, look: Look, series: EvaluatedSeries): Line {
  const { steps, values, better } = series
  const best = `${better === 'less' ? 'smallest' : 'largest'} ${values[bestOf(series)].toPrecision(3)}`
  return { ...look, name: `${name}, ${best}`, at: steps.map((step) => step * unitsPerStep), values }
}

function heldOutLine({ name, records, unitsPerStep }: ComparedRun, look: Look): Line {
  const measured = records.filter(({ measures }) => Number.isFinite(measures?.heldOut))
  const values = measured.map(({ measures }) => measures!.heldOut)
  const best = values.length === 0 ? '' : `, smallest ${Math.min(...values).toPrecision(3)}`
  return { ...look, name: `${name}${best}`, at: measured.map(({ step }) => step * unitsPerStep), values }
}

function lossLine({ name, records, unitsPerStep }: ComparedRun, look: Look, window?: number): Line {
  const losses = records.map(({ loss }) => loss)
  const values = smooth(losses, window ?? defaultWindow(losses.length))
  return { ...look, name, at: records.map(({ step }) => step * unitsPerStep), values }
}

function linesPanel(
  x: Axis,
  lines: readonly Line[],
  {
    frame,
    label,
    scale,
    xLabel,
  }: { readonly frame: Frame; readonly label: string; readonly scale?: ScaleKind; readonly xLabel?: string },
): string {
  const values = lines.flatMap((line) => line.values)
  const kind = scale ?? chooseScale(values)
  const y = valueAxis(values, kind, [frame.bottom, frame.top])
  const entries = lines.map(({ name, color, dash }): LegendEntry => ({ kind: 'line', color, dash, text: name }))
  return panelSvg({
    frame,
    x,
    y,
    xLabel,
    yLabel: kind === 'log' ? `${label} (log scale)` : label,
    content: lines.map((line) => lineSvg(x, y, line)).join('') + legend(frame, entries),
  })
}

/** Values of a line up to which each is marked: a line through one value would not be seen. */
const MARKED = 60

function lineSvg(x: Axis, y: Axis, { at, values, color, dash }: Line): string {
  return curve(x, y, at, values, color, dash) + (values.length <= MARKED ? points(x, y, at, values, color) : '')
}
