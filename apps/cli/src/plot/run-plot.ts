import type { StepRecord } from '@dit/train-ddp'
import { escapeXml, FONT } from '../images/fonts.js'
import { formatCount } from '../terminal/format.js'
import { COLORS, curve, type Frame, legend, panelSvg, points } from './panel.js'
import { chooseScale, type ScaleKind, stepAxis, valueAxis } from './scales.js'
import { defaultWindow, smooth } from './smooth.js'

export interface RunPlotOptions {
  readonly title: string
  readonly subtitle: string
  /** Of the loss; chosen by its range if absent. */
  readonly scale?: ScaleKind
  /** Steps that the smoothed line averages. */
  readonly window?: number
}

const [WIDTH, HEIGHT] = [960, 680]
const LOSS: Frame = { left: 92, right: WIDTH - 28, top: 76, bottom: 420 }
const RATE: Frame = { left: LOSS.left, right: LOSS.right, top: 448, bottom: HEIGHT - 64 }
/** Steps drawn as points; of longer runs every n-th. */
const MAX_POINTS = 1500

/** Loss and learning rate over the steps of a run, as an SVG drawing of 960 x 680. */
export function runPlot(records: readonly StepRecord[], options: RunPlotOptions): string {
  const steps = records.map(({ step }) => step)
  const losses = records.map(({ loss }) => loss)
  const rates = records.map(({ learningRate }) => learningRate)
  const window = options.window ?? defaultWindow(records.length)
  const smoothed = smooth(losses, window)
  const every = Math.ceil(records.length / MAX_POINTS)
  const isDrawn = (_: number, i: number) => i % every === 0
  const shown = losses.filter(isDrawn)

  const x = stepAxis(steps.at(-1)!, [LOSS.left, LOSS.right])
  const kind = options.scale ?? chooseScale(losses)
  const lossAxis = valueAxis([...shown, ...smoothed], kind, [LOSS.bottom, LOSS.top])
  const rateAxis = valueAxis(rates, 'linear', [RATE.bottom, RATE.top])
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
  const ratePanel = panelSvg({
    frame: RATE,
    x,
    y: rateAxis,
    xLabel: 'optimizer steps',
    yLabel: 'learning rate',
    content: curve(x, rateAxis, steps, rates, COLORS.rate),
  })
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">` +
    `<rect width="100%" height="100%" fill="#fff"/><g font-family="${FONT}, sans-serif" font-size="12" fill="${COLORS.text}">` +
    `<text x="${LOSS.left}" y="34" font-size="18" font-weight="bold">${escapeXml(options.title)}</text>` +
    `<text x="${LOSS.left}" y="56" font-size="13" fill="${COLORS.faint}">${escapeXml(options.subtitle)}</text>` +
    `${lossPanel}${ratePanel}</g></svg>\n`
  )
}

function ordinal(n: number): string {
  return `${n}${n === 2 ? 'nd' : n === 3 ? 'rd' : 'th'}`
}
