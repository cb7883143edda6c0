import type { MeasureResult } from '../evaluation.js'
import { formatInterval, formatMeasure } from './format-number.js'
import { type Html, html, type HtmlValue } from './html.js'
import { capitalised, verdictOf } from './measure-words.js'

/** A number that is read first. */
export interface Tile {
  readonly title: string
  readonly number: string
  /** Below it, such as its interval. */
  readonly below?: HtmlValue
}

/** Large numbers beside each other; nothing without any. */
export function tiles(all: readonly Tile[]): Html {
  if (all.length === 0) return html``
  return html`<dl class="tiles">
    ${all.map(
      ({ title, number, below = null }) =>
        html`<div>
          <dt>${title}</dt>
          <dd><strong class="number large">${number}</strong>${below}</dd>
        </div>`,
    )}
  </dl>`
}

/** A measure with its interval, and how it stands to the floor. */
export function measureTile(result: MeasureResult): Tile {
  const { title, value, interval } = result
  const { kind, label } = verdictOf(result)
  return {
    title: capitalised(title),
    number: formatMeasure(value, interval),
    below: [
      interval === null ? null : html`<span class="range">${formatInterval(interval)}</span>`,
      html`<span class="verdict ${kind}">${label}</span>`,
    ],
  }
}
