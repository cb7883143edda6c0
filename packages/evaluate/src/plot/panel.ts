import { line } from 'd3-shape'
import { escapeXml } from './escape-xml.js'
import type { Axis } from './scales.js'

/** Colours of the drawing, on white. */
export const COLORS = {
  text: '#222',
  faint: '#666',
  grid: '#e4e4e4',
  frame: '#999',
  raw: '#9ec3e6',
  loss: '#0b5394',
  rate: '#b45309',
  heldOut: '#15803d',
}

/** Colours of a panel's lines; of a page, they may be CSS variables. */
export interface PanelColors {
  readonly grid: string
  readonly frame: string
}

/** Place of a panel's frame, in pixels. */
export interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export interface Panel {
  readonly frame: Frame
  readonly x: Axis
  readonly y: Axis
  /** Text beside the y axis, turned; none in a panel whose title says it. */
  readonly yLabel?: string
  /** Text under the x axis; its numbers are left out without one. */
  readonly xLabel?: string
  /** SVG of the curves. */
  readonly content: string
  /** Default: those of `COLORS`. */
  readonly colors?: PanelColors
}

/** Frame, grid, ticks with their numbers and labels of the axes, around curves. */
export function panelSvg({ frame, x, y, xLabel, yLabel, content, colors = COLORS }: Panel): string {
  const { left, right, top, bottom } = frame
  const rows = y.ticks.map((tick) => {
    const at = round(y.scale(tick))
    const text = `<text x="${left - 8}" y="${at + 4}" text-anchor="end">${y.text(tick)}</text>`
    return `<path d="M${left} ${at}H${right}" stroke="${colors.grid}"/><path d="M${left - 4} ${at}H${left}" stroke="${colors.frame}"/>${text}`
  })
  const columns = x.ticks.map((tick) => {
    const at = round(x.scale(tick))
    const text =
      xLabel === undefined ? '' : `<text x="${at}" y="${bottom + 20}" text-anchor="middle">${x.text(tick)}</text>`
    return `<path d="M${at} ${top}V${bottom}" stroke="${colors.grid}"/><path d="M${at} ${bottom}v4" stroke="${colors.frame}"/>${text}`
  })
  const middle = (top + bottom) / 2
  const labels = [
    yLabel === undefined
      ? ''
      : `<text transform="translate(20 ${middle}) rotate(-90)" text-anchor="middle" font-size="14">${escapeXml(yLabel)}</text>`,
    xLabel === undefined
      ? ''
      : `<text x="${(left + right) / 2}" y="${bottom + 44}" text-anchor="middle" font-size="14">${escapeXml(xLabel)}</text>`,
  ]
  const border = `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" fill="none" stroke="${colors.frame}"/>`
  return `<g>${rows.join('')}${columns.join('')}${content}${border}${labels.join('')}</g>`
}

/**
 * A curve through points.
 *
 * @param dash lengths of strokes and gaps; empty for a whole line
 */
export function curve(
  x: Axis,
  y: Axis,
  steps: readonly number[],
  values: readonly number[],
  color: string,
  dash = '',
): string {
  const path = line<number>(
    (step) => x.scale(step),
    (_, i) => y.scale(values[i]),
  ).digits(1)(steps as number[])
  return `<path d="${path ?? ''}" fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"${dashed(dash)}/>`
}

function dashed(dash: string): string {
  return dash === '' ? '' : ` stroke-dasharray="${dash}"`
}

/** Points, as one path of short strokes with round ends, which keeps the file small. */
export function points(x: Axis, y: Axis, steps: readonly number[], values: readonly number[], color: string): string {
  const path = steps.map((step, i) => `M${round(x.scale(step))} ${round(y.scale(values[i]))}h0`).join('')
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="3" stroke-linecap="round" stroke-opacity="0.7"/>`
}

export interface LegendEntry {
  readonly kind: 'line' | 'point' | 'circle' | 'cross'
  readonly color: string
  /** As for `curve`. */
  readonly dash?: string
  readonly text: string
}

/** Entries below each other in a box, in the frame's upper right corner. */
export function legend({ right, top }: Frame, entries: readonly LegendEntry[]): string {
  const width = 48 + Math.max(...entries.map(({ text }) => text.length)) * 7
  const [left, first] = [right - width - 12, top + 12]
  const rows = entries.map(({ kind, color, text, dash = '' }, i) => {
    const y = first + 18 + i * 20
    const mark = legendMark(kind, color, dash, left + 20, y - 4)
    return `${mark}<text x="${left + 38}" y="${y}">${escapeXml(text)}</text>`
  })
  const box = `<rect x="${left}" y="${first}" width="${width}" height="${entries.length * 20 + 8}" rx="4" fill="#fff" fill-opacity="0.9" stroke="${COLORS.grid}"/>`
  return box + rows.join('')
}

function legendMark(kind: LegendEntry['kind'], color: string, dash: string, x: number, y: number): string {
  if (kind === 'line') return `<path d="M${x - 10} ${y}h20" stroke="${color}" stroke-width="2"${dashed(dash)}/>`
  if (kind === 'circle') return `<circle cx="${x}" cy="${y}" r="4" fill="#fff" stroke="${color}" stroke-width="1.5"/>`
  if (kind === 'cross') return `<path d="M${x} ${y - 6}v12m-6 -6h12" stroke="${color}" stroke-width="1.5"/>`
  return `<path d="M${x} ${y}h0" stroke="${color}" stroke-width="6" stroke-linecap="round"/>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
