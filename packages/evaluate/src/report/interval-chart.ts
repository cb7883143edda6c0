import { valueAxis } from '../plot/scales.js'
import { type Html, html, markup } from './html.js'
import { isNumber } from './format-number.js'
import type { Range } from './range.js'

/** A value with its interval, and what it is compared with. */
export interface IntervalChart {
  readonly value: number
  readonly interval: Range | null
  readonly reference: {
    readonly value: number
    readonly interval: Range | null
    /** The value as it would be measured like the reference; drawn where it differs. */
    readonly matched?: number
  } | null
  /** Whether the axis runs from 0 to 1. */
  readonly isShare: boolean
  /** All that it shows, in words. */
  readonly alt: string
}

const [WIDTH, HEIGHT, LEFT, RIGHT] = [320, 56, 12, 308]
const [VALUE_Y, REFERENCE_Y, AXIS_Y] = [12, 26, 38]

/**
 * A dot on a bar for a value in its interval, and below it a diamond for the reference. The axis always has 0, so that lengths can be compared.
 */
export function intervalChart({ value, interval, reference, isShare, alt }: IntervalChart): Html {
  if (!isNumber(value)) return html``
  const shown = [
    value,
    interval?.low,
    interval?.high,
    reference?.value,
    reference?.interval?.low,
    reference?.interval?.high,
    reference?.matched,
  ]
  const numbers = [0, ...(isShare ? [1] : []), ...shown.filter(isNumber)]
  const axis = valueAxis(numbers, 'linear', [LEFT, RIGHT], 3)
  const at = (number: number) => Math.round(axis.scale(number) * 10) / 10
  const bar = (range: Range | null | undefined, y: number, name: string) =>
    range && isNumber(range.low) && isNumber(range.high)
      ? `<path class="${name}" d="M${at(range.low)} ${y}H${at(range.high)}"/>`
      : ''
  const ticks = axis.ticks.map(
    (tick) =>
      `<path class="${tick === 0 ? 'zero' : 'tick'}" d="M${at(tick)} 4V${AXIS_Y + 4}"/><text x="${at(tick)}" y="${AXIS_Y + 15}" text-anchor="${anchor(at(tick))}">${axis.text(tick)}</text>`,
  )
  const x = reference === null || !isNumber(reference.value) ? null : at(reference.value)
  const diamond = x === null ? '' : `<path class="reference" d="M${x} ${REFERENCE_Y - 5}l5 5l-5 5l-5 -5z"/>`
  const matched = reference?.matched
  const ring =
    isNumber(matched) && matched !== value
      ? `<circle class="matched" cx="${at(matched)}" cy="${REFERENCE_Y}" r="4"/>`
      : ''
  return html`<svg class="interval" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${alt}">
    ${markup(
      `${ticks.join('')}<path class="axis" d="M${LEFT} ${AXIS_Y}H${RIGHT}"/>${bar(interval, VALUE_Y, 'bar')}<circle class="value" cx="${at(value)}" cy="${VALUE_Y}" r="5"/>${bar(reference?.interval, REFERENCE_Y, 'reference-bar')}${diamond}${ring}`,
    )}
  </svg>`
}

/** Numbers at the ends stay inside. */
function anchor(x: number): string {
  return x < LEFT + 12 ? 'start' : x > RIGHT - 12 ? 'end' : 'middle'
}
