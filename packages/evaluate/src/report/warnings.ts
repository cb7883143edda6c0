import type { MeasureResult } from '../evaluation.js'
import { capitalised } from './measure-words.js'
import { type Html, html } from './html.js'

/** Warnings of an evaluation and of its measures, each once, with the measures that it concerns; nothing where there are none. */
export function warningsBox(
  general: readonly string[],
  measures: readonly Pick<MeasureResult, 'title' | 'warnings'>[],
): Html {
  const titles = new Map<string, string[]>()
  for (const { title, warnings } of measures)
    for (const warning of new Set(warnings)) titles.set(warning, [...(titles.get(warning) ?? []), title])
  const lines = [
    ...[...new Set(general)].map((warning) => html`<li>${warning}</li>`),
    ...[...titles]
      .filter(([warning]) => !general.includes(warning))
      .map(([warning, names]) => html`<li><strong>${capitalised(names.join(', '))}:</strong> ${warning}</li>`),
  ]
  if (lines.length === 0) return html``
  return html`<section class="warnings" aria-labelledby="warnings">
    <h2 id="warnings">${lines.length === 1 ? 'A warning' : `${lines.length} warnings`}</h2>
    <ul>
      ${lines}
    </ul>
  </section>`
}
