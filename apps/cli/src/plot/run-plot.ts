import type { StepRecord } from '@dit/train-ddp'
import {
  type Axis,
  chooseScale,
  COLORS,
  curve,
  defaultWindow,
  escapeXml,
  type Frame,
  legend,
  panelSvg,
  points,
  type ScaleKind,
  smooth,
  valueAxis,
} from '@dit/evaluate/plot'
import { evaluatedPanel, evaluatedPanels } from './evaluated-panel.js'
import { evaluatedSeries } from './evaluated-series.js'
import { FONT } from './fonts.js'
import { formatCount } from '../terminal/format.js'
import { unitAxis } from './unit-axis.js'
import { X_LABELS, type XKind } from './plotted-run.js'

export interface RunPlotOptions {
  readonly title: string
  readonly subtitle: string
  /** Of the loss; chosen by its range if absent. */
  readonly scale?: ScaleKind
  /** Steps that the smoothed line averages. */
  readonly window?: number
  /** What the x axis counts (default steps), and how much of it a step is. */
  readonly x?: { readonly kind: XKind; readonly unitsPerStep: number }
}

const WIDTH = 960
const LOSS: Frame = { left: 92, right: WIDTH - 28, top: 76, bottom: 420 }
/** Heights of the panels below the loss, and the gap above each. */
const [HELD_OUT_HEIGHT, EVALUATED_HEIGHT, RATE_HEIGHT, GAP, BELOW] = [200, 200, 168, 28, 64]
/** Steps drawn as points; of longer runs every n-th. */
const MAX_POINTS = 1500

/**
 * Loss, error on held-out pictures and measures of samples where they were measured, and learning rate over the steps of a run, as an SVG 960
 * pixels wide.
 */
export function runPlot(records: readonly StepRecord[], options: RunPlotOptions): string {
  const { kind: xKind, unitsPerStep } = options.x ?? { kind: 'steps', unitsPerStep: 1 }
  const steps = records.map(({ step }) => step * unitsPerStep)
  const losses = records.map(({ loss }) => loss)
  const rates = records.map(({ learningRate }) => learningRate)
  const window = options.window ?? defaultWindow(records.length)
  const smoothed = smooth(losses, window)
  const every = Math.ceil(records.length / MAX_POINTS)
  const isDrawn = (_: number, i: number) => i % every === 0
  const shown = losses.filter(isDrawn)

  const measured = records.filter(({ measures }) => Number.isFinite(measures?.heldOut))
  const heldOut = below(LOSS, measured.length === 0 ? 0 : HELD_OUT_HEIGHT)
  const evaluated = evaluatedPanels(evaluatedSeries(records))
  const frames: Frame[] = [measured.length === 0 ? LOSS : heldOut]
  for (const _ of evaluated) frames.push(below(frames.at(-1)!, EVALUATED_HEIGHT))
  const rate = below(frames.at(-1)!, RATE_HEIGHT)
  const height = rate.bottom + BELOW

  const x = unitAxis(steps.at(-1)!, [LOSS.left, LOSS.right])
  const kind = options.scale ?? chooseScale(losses)
  const lossAxis = valueAxis([...shown, ...smoothed], kind, [LOSS.bottom, LOSS.top])
  const rateAxis = valueAxis(rates, 'linear', [rate.bottom, rate.top])
  const lossPanel = panelSvg({
    frame: LOSS,
    x,
    y: lossAxis,
    yLabel: kind === 'log' ? 'loss (log scale)' : 'loss',
    content:
      points(x, lossAxis, steps.filter(isDrawn), shown, COLORS.raw) +
      curve(x, lossAxis, steps, smoothed, COLORS.loss) +
      legend(LOSS, [
        {
          kind: 'point',
          color: COLORS.raw,
          text: every === 1 ? 'loss of a step' : `loss of every ${ordinal(every)} step`,
        },
        { kind: 'line', color: COLORS.loss, text: window < 3 ? 'loss' : `mean of ${formatCount(window)} steps` },
      ]),
  })
  const evaluatedSvg = evaluated.map((series, i) => evaluatedPanel(frames[i + 1], x, series, unitsPerStep))
  const ratePanel = panelSvg({
    frame: rate,
    x,
    y: rateAxis,
    xLabel: X_LABELS[xKind],
    yLabel: 'learning rate',
    content: curve(x, rateAxis, steps, rates, COLORS.rate),
  })
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">` +
    `<rect width="100%" height="100%" fill="#fff"/><g font-family="${FONT}, sans-serif" font-size="12" fill="${COLORS.text}">` +
    `<text x="${LOSS.left}" y="34" font-size="18" font-weight="bold">${escapeXml(options.title)}</text>` +
    `<text x="${LOSS.left}" y="56" font-size="13" fill="${COLORS.faint}">${escapeXml(options.subtitle)}</text>` +
    `${lossPanel}${heldOutPanel(heldOut, x, measured, unitsPerStep)}${evaluatedSvg.join('')}${ratePanel}</g></svg>\n`
  )
}

function below({ left, right, bottom }: Frame, height: number): Frame {
  return { left, right, top: bottom + GAP, bottom: bottom + GAP + height }
}

/** Squared error of the estimate of x0 on held-out pictures, with its smallest value marked; nothing where none was measured. */
function heldOutPanel(frame: Frame, x: Axis, measured: readonly StepRecord[], unitsPerStep: number): string {
  if (measured.length === 0) return ''
  const steps = measured.map(({ step }) => step)
  const at = steps.map((step) => step * unitsPerStep)
  const errors = measured.map(({ measures }) => measures!.heldOut)
  const y = valueAxis(errors, chooseScale(errors), [frame.bottom, frame.top])
  const best = errors.indexOf(Math.min(...errors))
  return panelSvg({
    frame,
    x,
    y,
    yLabel: 'held-out error',
    content:
      curve(x, y, at, errors, COLORS.heldOut) +
      points(x, y, at, errors, COLORS.heldOut) +
      legend(frame, [
        {
          kind: 'line',
          color: COLORS.heldOut,
          text: `error of x0, smallest ${errors[best].toPrecision(3)} at step ${formatCount(steps[best])}`,
        },
      ]),
  })
}

function ordinal(n: number): string {
  return `${n}${n === 2 ? 'nd' : n === 3 ? 'rd' : 'th'}`
}
