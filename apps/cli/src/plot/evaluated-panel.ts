import {
  type Axis,
  chooseScale,
  curve,
  type Frame,
  legend,
  type LegendEntry,
  panelSvg,
  points,
  valueAxis,
} from '@dit/evaluate/plot'
import { formatCount } from '../terminal/format.js'
import { bestOf, type EvaluatedSeries } from './evaluated-series.js'

/** Colours of the lines of a panel, on white. */
const LINES = ['#7e22ce', '#0f766e', '#be123c', '#a16207', '#1d4ed8']

/** Measures that are shares of pictures, or near them: they have an axis in common. */
const SHARES: ReadonlySet<string> = new Set(['precision', 'recall', 'density', 'coverage', 'authenticity'])

/** Series as they are drawn: one a panel, but shares together. */
export function evaluatedPanels(series: readonly EvaluatedSeries[]): EvaluatedSeries[][] {
  const shares = series.filter(({ measure }) => SHARES.has(measure))
  const others = series.filter(({ measure }) => !SHARES.has(measure))
  return [...others.map((one) => [one]), ...(shares.length === 0 ? [] : [shares])]
}

/** Measures of samples over the steps of a run, with their intervals and best values. */
export function evaluatedPanel(
  frame: Frame,
  x: Axis,
  series: readonly EvaluatedSeries[],
  unitsPerStep: number,
): string {
  const ends = series.flatMap(({ values, intervals }) => [
    ...values,
    ...intervals.flatMap((interval) => (interval === null ? [] : [interval.low, interval.high])),
  ])
  const y = valueAxis(ends, chooseScale(ends), [frame.bottom, frame.top])
  const lines = series.map((one, i) => {
    const color = LINES[i % LINES.length]
    const at = one.steps.map((step) => step * unitsPerStep)
    return whiskers(x, y, at, one, color) + curve(x, y, at, one.values, color) + points(x, y, at, one.values, color)
  })
  return panelSvg({
    frame,
    x,
    y,
    yLabel: series.length === 1 ? series[0].measure : 'share of pictures',
    content: lines.join('') + legend(frame, series.map(entryOf)),
  })
}

function entryOf(series: EvaluatedSeries, i: number): LegendEntry {
  const { title, steps, values, better } = series
  const best = bestOf(series)
  const how = better === 'less' ? 'smallest' : 'largest'
  const text = `${title}, ${how} ${values[best].toPrecision(3)} at step ${formatCount(steps[best])}`
  return { kind: 'line', color: LINES[i % LINES.length], text }
}

/** Intervals as upright strokes. */
function whiskers(x: Axis, y: Axis, at: readonly number[], { intervals }: EvaluatedSeries, color: string): string {
  const strokes = intervals.map((interval, i) => {
    if (interval === null) return ''
    const [place, low, high] = [x.scale(at[i]), y.scale(interval.low), y.scale(interval.high)].map((v) => v.toFixed(1))
    return `M${place} ${low}V${high}`
  })
  const path = strokes.join('')
  return path === '' ? '' : `<path d="${path}" stroke="${color}" stroke-width="6" stroke-opacity="0.25"/>`
}
