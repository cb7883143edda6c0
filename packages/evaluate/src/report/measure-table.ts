import type { MeasureResult } from '../evaluation.js'
import { formatCount, formatInterval, formatMeasure, formatPercent } from './format-number.js'
import { type Html, html } from './html.js'
import { intervalChart } from './interval-chart.js'
import { capitalised, isShare, meaningOf, verdictOf } from './measure-words.js'

/** Measures below each other: name and meaning, a chart, numbers, and how they stand to the floor. */
export function measureTable(measures: readonly MeasureResult[], level: number): Html {
  return html`<p class="legend">
      <span
        ><svg class="interval key" viewBox="0 0 28 12" aria-hidden="true">
          <path class="bar" d="M2 6H26" />
          <circle class="value" cx="14" cy="6" r="5" />
        </svg>
        judged pictures, with the ${formatPercent(level)} interval</span
      >
      <span
        ><svg class="interval key" viewBox="0 0 28 12" aria-hidden="true">
          <path class="reference-bar" d="M2 6H26" />
          <path class="reference" d="M14 1l5 5l-5 5l-5 -5z" />
        </svg>
        floor: real pictures against other real ones</span
      >${
        measures.some(isMatched)
          ? html` <span
              ><svg class="interval key" viewBox="0 0 28 12" aria-hidden="true">
                <circle class="matched" cx="14" cy="6" r="4" />
              </svg>
              judged pictures, only as many as the floor has</span
            >`
          : null
      }
    </p>
    <table class="measures" role="table">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">Measure</th>
          <th role="columnheader" scope="col">Chart</th>
          <th role="columnheader" scope="col">Value and interval</th>
          <th role="columnheader" scope="col">Reading</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${measures.map(measureRow)}
      </tbody>
    </table>`
}

function measureRow(result: MeasureResult): Html {
  const { measure, title, value, interval, floor, warnings } = result
  const verdict = verdictOf(result)
  const chart = intervalChart({
    value,
    interval,
    reference: floor,
    isShare: isShare(measure),
    alt: measureInWords(result),
  })
  return html`<tr role="row">
    <th role="rowheader" scope="row">
      <span class="name">${capitalised(title)}</span>
      <p class="meaning">${meaningOf(result)}</p>
    </th>
    <td role="cell">${chart}</td>
    <td role="cell">
      <strong class="number">${formatMeasure(value, interval)}</strong>
      <span class="range">${interval === null ? 'no interval' : formatInterval(interval)}</span>
      ${floor === null ? null : html`<span class="range">floor ${formatMeasure(floor.value, floor.interval)}${floor.interval === null ? null : html` (${formatInterval(floor.interval)})`}</span>`}
      ${isMatched(result) ? html`<span class="range">${formatMeasure(floor!.matched, interval)} with the floor’s ${formatCount(floor!.counts.generated)} pictures</span>` : null}
      <span class="range">${countsInWords(result)}</span>
    </td>
    <td role="cell">
      <span class="verdict ${verdict.kind}">${verdict.label}</span>
      <p class="meaning">${verdict.sentence}</p>
      ${warnings.map((warning) => html`<p class="warning">${warning}</p>`)}
    </td>
  </tr> `
}

/** Whether the floor was measured on other counts than the value. */
function isMatched({ value, floor }: MeasureResult): boolean {
  return floor !== null && floor.matched !== value
}

function countsInWords({ counts: { generated, real } }: MeasureResult): string {
  return real === null
    ? `${formatCount(generated)} pictures`
    : `${formatCount(generated)} pictures against ${formatCount(real)}`
}

/** A measure as a sentence, such as `Fréchet distance 12.3, interval 11.2 to 13.4, floor 1.21`. */
export function measureInWords({ title, value, interval, floor }: MeasureResult): string {
  const parts = [
    `${capitalised(title)} ${formatMeasure(value, interval)}`,
    ...(interval === null ? [] : [`interval ${formatInterval(interval)}`]),
    ...(floor === null ? [] : [`floor ${formatMeasure(floor.value, floor.interval)}`]),
  ]
  return parts.join(', ')
}
