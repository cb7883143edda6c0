import { h, type VNode } from 'vue'

/** From values to places on an axis. */
export interface Scale {
  readonly domain: readonly [from: number, to: number]
  readonly isLog?: boolean
  readonly ticks: readonly { readonly at: number; readonly text: string }[]
  readonly title: string
}

/** One line of a plot. */
export interface Curve {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Which of the colours of the theme, 1 to 6. */
  readonly color: number
  readonly isDashed?: boolean
  readonly isFaint?: boolean
}

export interface PlotOptions {
  /** In pixels of the page, so that text keeps its size on narrow ones. */
  readonly width: number
  readonly height?: number
  readonly x: Scale
  readonly y: Scale
  readonly curves: readonly Curve[]
  readonly points?: readonly {
    readonly x: number
    readonly y: number
    readonly color: number
    readonly text?: string
  }[]
  /** A vertical line at this x. */
  readonly mark?: number
  /** What the plot shows, for those who do not see it. */
  readonly label: string
}

const MARGIN = { left: 54, right: 14, top: 12, bottom: 44 }

/** Lines and points over two axes, as SVG. */
export function plot({ width, height = 300, x, y, curves, points = [], mark, label }: PlotOptions): VNode {
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom }
  const toX = (value: number) => MARGIN.left + inner.width * share(x, value)
  const toY = (value: number) => MARGIN.top + inner.height * (1 - share(y, value))
  const bottom = MARGIN.top + inner.height
  return h(
    'svg',
    { class: 'plot', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
    [
      h('clipPath', { id: `clip-${width}-${height}` }, [
        h('rect', { x: MARGIN.left, y: MARGIN.top, width: inner.width, height: inner.height }),
      ]),
      ...x.ticks.map(({ at, text }) =>
        h('g', { key: `x${at}` }, [
          h('line', { class: 'plot-grid', x1: toX(at), x2: toX(at), y1: MARGIN.top, y2: bottom }),
          h('text', { class: 'plot-tick', x: toX(at), y: bottom + 17, 'text-anchor': 'middle' }, text),
        ]),
      ),
      ...y.ticks.map(({ at, text }) =>
        h('g', { key: `y${at}` }, [
          h('line', { class: 'plot-grid', x1: MARGIN.left, x2: MARGIN.left + inner.width, y1: toY(at), y2: toY(at) }),
          h('text', { class: 'plot-tick', x: MARGIN.left - 8, y: toY(at) + 4, 'text-anchor': 'end' }, text),
        ]),
      ),
      h(
        'text',
        { class: 'plot-title', x: MARGIN.left + inner.width / 2, y: height - 6, 'text-anchor': 'middle' },
        x.title,
      ),
      h(
        'text',
        {
          class: 'plot-title',
          transform: `translate(13 ${MARGIN.top + inner.height / 2}) rotate(-90)`,
          'text-anchor': 'middle',
        },
        y.title,
      ),
      mark === undefined
        ? null
        : h('line', { class: 'plot-mark', x1: toX(mark), x2: toX(mark), y1: MARGIN.top, y2: bottom }),
      h('g', { 'clip-path': `url(#clip-${width}-${height})` }, [
        ...curves.map((curve) =>
          h('path', {
            key: curve.name,
            class: ['plot-curve', curve.isDashed && 'is-dashed', curve.isFaint && 'is-faint'],
            style: { stroke: `var(--dit-series-${curve.color})` },
            d: pathOf(curve.points.map(([px, py]) => [toX(px), toY(py)])),
          }),
        ),
        ...points.map((point, i) =>
          h('g', { key: i }, [
            h('circle', {
              cx: toX(point.x),
              cy: toY(point.y),
              r: 5,
              style: { fill: `var(--dit-series-${point.color})` },
            }),
            point.text === undefined
              ? null
              : h('text', { class: 'plot-point', x: toX(point.x) + 8, y: toY(point.y) - 8 }, point.text),
          ]),
        ),
      ]),
    ],
  )
}

/** The names of curves beside their colours. */
export function legend(curves: readonly Pick<Curve, 'name' | 'color' | 'isDashed'>[]): VNode {
  return h(
    'ul',
    { class: 'legend' },
    curves.map(({ name, color, isDashed }) =>
      h('li', { key: name }, [
        h('span', {
          class: ['legend-line', isDashed && 'is-dashed'],
          style: { borderColor: `var(--dit-series-${color})` },
        }),
        name,
      ]),
    ),
  )
}

/** Marks at powers of ten: all of them, or those a given number of powers apart. */
export function powerTicks(from: number, to: number, apart = 1): Scale['ticks'] {
  const first = Math.ceil(Math.log10(from) - 1e-9)
  const last = Math.floor(Math.log10(to) + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    .filter((power) => (power - first) % apart === 0)
    .map((power) => ({ at: 10 ** power, text: powerOfTen(power) }))
}

/** 10 with a raised exponent. */
export function powerOfTen(power: number): string {
  const raised = String(power)
    .split('')
    .map((digit) => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]))
  return `10${raised.join('')}`
}

/** Evenly spaced marks with so many decimals. */
export function evenTicks(from: number, to: number, count: number, decimals: number): Scale['ticks'] {
  return Array.from({ length: count + 1 }, (_, i) => from + ((to - from) * i) / count).map((at) => ({
    at,
    text: at.toFixed(decimals).replace('-', '−'),
  }))
}

function share({ domain: [from, to], isLog = false }: Scale, value: number): number {
  return isLog ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from)
}

function pathOf(points: readonly (readonly [number, number])[]): string {
  return points
    .filter(([px, py]) => Number.isFinite(px) && Number.isFinite(py))
    .map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`)
    .join('')
}
