import { curve, type Frame, panelSvg, points } from '../plot/panel.js'
import { type Axis, chooseScale, type ScaleKind, stepAxis, valueAxis } from '../plot/scales.js'
import { type Html, html, markup } from './html.js'
import { isNumber } from './format-number.js'
import type { Range } from './range.js'

/** Values over steps. */
export interface Line {
  readonly name: string
  readonly steps: readonly number[]
  readonly values: readonly number[]
  /** Of each value; null where there is none. */
  readonly intervals?: readonly (Range | null)[]
  /** Points alone, points on a line, or a line; default by how many there are. */
  readonly look?: 'points' | 'marked' | 'line'
  /** Behind the others, such as single values behind their mean. */
  readonly isFaint?: boolean
}

export interface LineChart {
  readonly title: string
  readonly lines: readonly Line[]
  /** Where the x axis ends. */
  readonly lastStep: number
  /** A step that is marked, such as the best checkpoint, and what it is. */
  readonly mark?: { readonly step: number; readonly text: string } | null
  /** A level that is drawn across, and what it is. */
  readonly level?: { readonly value: number; readonly text: string } | null
  /** Chosen by the values where it is absent. */
  readonly scale?: ScaleKind
}

const [WIDTH, HEIGHT] = [360, 226]
const FRAME: Frame = { left: 54, right: 336, top: 10, bottom: 174 }
const COLORS_OF_PAGE = { grid: 'var(--grid)', frame: 'var(--frame)' }
const STROKES = [1, 2, 3, 4, 5, 6].map((i) => `var(--line-${i})`)
const DASHES = ['', '6 3', '2 3', '8 3 2 3', '1 4', '']
/** Points of a curve that are drawn: the page stays small however long a run is. */
const MAX_POINTS = 300

/** A chart of a run over its steps, with its legend below; nothing where no line has a value. */
export function lineChart({ title, lines, lastStep, mark = null, level = null, scale }: LineChart): Html {
  const drawn = lines.map(thinned).filter(({ values }) => values.length > 0)
  if (drawn.length === 0) return html``
  const values = drawn.flatMap((line) => [
    ...line.values,
    ...(line.intervals ?? []).flatMap((range) => (range === null ? [] : [range.low, range.high])),
  ])
  const shown = [...values, ...(level === null ? [] : [level.value])].filter(isNumber)
  const kind = scale ?? chooseScale(shown)
  const x = stepAxis(lastStep, [FRAME.left, FRAME.right], 4)
  const y = valueAxis(shown, kind, [FRAME.bottom, FRAME.top], 4)
  const strong = drawn.filter(({ isFaint }) => isFaint !== true)
  const looks = drawn.map((line) => {
    const place = strong.indexOf(line)
    return place < 0
      ? { color: 'var(--line-faint)', dash: '' }
      : { color: STROKES[place % STROKES.length], dash: DASHES[place % DASHES.length] }
  })
  const parts = drawn.map((line, i) => lineSvg(x, y, line, looks[i].color, looks[i].dash))
  const marked =
    mark === null || mark.step > lastStep
      ? ''
      : `<path class="mark" d="M${x.scale(mark.step).toFixed(1)} ${FRAME.top}V${FRAME.bottom}"/>`
  const across =
    level === null ? '' : `<path class="level" d="M${FRAME.left} ${y.scale(level.value).toFixed(1)}H${FRAME.right}"/>`
  const panel = panelSvg({
    frame: FRAME,
    x,
    y,
    xLabel: 'steps',
    content: across + marked + parts.join(''),
    colors: COLORS_OF_PAGE,
  })
  const name = kind === 'log' ? `${title} (log scale)` : title
  return html`<figure class="chart">
    <figcaption>${name}</figcaption>
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      role="img"
      aria-label="${`${name} over ${lastStep} steps. ${drawn.map(lastInWords).join('; ')}`}"
    >
      ${markup(panel)}
    </svg>
    <ul class="legend">
      ${drawn.map(({ name: text, look }, i) => html`<li>${swatch(looks[i].color, looks[i].dash, look === 'points')}${text}</li>`)}${
        level === null
          ? null
          : html`<li>
              <svg viewBox="0 0 24 10" aria-hidden="true"><path class="level" d="M1 5H23" /></svg>${level.text}
            </li>`
      }${
        mark === null || marked === ''
          ? null
          : html`<li>
              <svg viewBox="0 0 24 10" aria-hidden="true"><path class="mark" d="M12 0V10" /></svg>${mark.text}
            </li>`
      }
    </ul>
  </figure> `
}

function lineSvg(x: Axis, y: Axis, { steps, values, intervals, look }: Line, color: string, dash: string): string {
  const bars = (intervals ?? [])
    .map((range, i) =>
      range === null
        ? ''
        : `M${x.scale(steps[i]).toFixed(1)} ${y.scale(range.low).toFixed(1)}V${y.scale(range.high).toFixed(1)}`,
    )
    .join('')
  const whiskers =
    bars === '' ? '' : `<path d="${bars}" fill="none" stroke="${color}" stroke-width="5" stroke-opacity="0.35"/>`
  const kind = look ?? (values.length <= 40 ? 'marked' : 'line')
  return (
    whiskers +
    (kind === 'points' ? '' : curve(x, y, steps, values, color, dash)) +
    (kind === 'line' ? '' : points(x, y, steps, values, color))
  )
}

/** Evenly many of the finite points; the last is always there. */
function thinned(line: Line): Line {
  const finite = line.values.map((_, i) => i).filter((i) => isNumber(line.values[i]))
  const every = Math.max(1, Math.ceil(finite.length / MAX_POINTS))
  const kept = finite.filter((_, place) => (finite.length - 1 - place) % every === 0)
  const { intervals } = line
  return {
    ...line,
    steps: kept.map((i) => line.steps[i]),
    values: kept.map((i) => line.values[i]),
    ...(intervals === undefined ? {} : { intervals: kept.map((i) => intervals[i]) }),
  }
}

function swatch(color: string, dash: string, isPoints: boolean): Html {
  const shape = isPoints
    ? `<path d="M4 5h0M12 5h0M20 5h0" stroke="${color}" stroke-width="4" stroke-linecap="round"/>`
    : `<path d="M1 5H23" stroke="${color}" stroke-width="2" stroke-dasharray="${dash}"/>`
  return html`<svg viewBox="0 0 24 10" aria-hidden="true">${markup(shape)}</svg>`
}

function lastInWords({ name, values, steps }: Line): string {
  return `${name}: ${Number(values.at(-1)!.toPrecision(3))} at step ${steps.at(-1)}`
}
