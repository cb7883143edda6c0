import type { ClassResult, MeasureResult } from '../evaluation.js'
import { formatCount, formatInterval, formatMeasure, isNumber } from './format-number.js'
import { capitalised } from './measure-words.js'
import { type Html, html } from './html.js'

/** A row for each class, a column for each measure that any class has. */
export function classTable(classes: readonly ClassResult[]): Html {
  const titles = new Map(classes.flatMap(({ measures }) => measures.map(({ measure, title }) => [measure, title])))
  const columns = [...titles]
  return html`<div class="scroll tall" role="region" aria-label="Measures of each class" tabindex="0">
    <table class="classes sortable">
      <thead>
        <tr>
          <th scope="col">Class</th>
          <th scope="col" data-kind="number">Judged</th>
          <th scope="col" data-kind="number">Real</th>
          ${columns.map(([, title]) => html`<th scope="col" data-kind="number">${capitalised(title)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${classes.map(({ className, numGenerated, numReal, measures }) => {
          const byName = new Map(measures.map((result) => [result.measure, result]))
          return html`<tr>
            <th scope="row">${className}</th>
            <td data-value="${numGenerated}">${formatCount(numGenerated)}</td>
            <td data-value="${numReal}">${formatCount(numReal)}</td>
            ${columns.map(([measure]) => measureCell(byName.get(measure)))}
          </tr> `
        })}
      </tbody>
    </table>
  </div>`
}

function measureCell(result: MeasureResult | undefined): Html {
  if (result === undefined || !isNumber(result.value)) return html`<td data-value="">–</td>`
  const { value, interval } = result
  return html`<td data-value="${value}">
    ${formatMeasure(value, interval)}${interval === null ? null : html`<span class="range">${formatInterval(interval)}</span>`}
  </td>`
}
