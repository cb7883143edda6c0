import type { Comparison, MeasureDifference } from '../comparison.js'
import type { Evaluation } from '../evaluation.js'
import { embeddedJson } from './embedded-json.js'
import { facts, setInWords } from './facts.js'
import { extractorFacts } from './evaluation-page.js'
import { formatCount, formatInterval, formatMeasure, formatPercent } from './format-number.js'
import { gridFigures } from './grids.js'
import { type Html, html } from './html.js'
import { intervalChart } from './interval-chart.js'
import { capitalised, meaningOf } from './measure-words.js'
import { pageShell } from './page-shell.js'
import { pictureAlbum } from './picture.js'
import { pageHeader, section } from './section.js'
import { warningsBox } from './warnings.js'

/** Options of `comparisonPage`. */
export interface ComparisonPageOptions {
  /** The command that repeats the comparison, as typed. */
  readonly command?: string | null
  /** The evaluations that were compared: their grids are shown beside each other. */
  readonly evaluations?: readonly [first: Evaluation, second: Evaluation] | null
}

/**
 * Two evaluations beside each other as one HTML file: each measure of both, their difference with its interval, and which is better, where that
 * can be said. Requests, script and JSON are as in `evaluationPage`; the size is 20 KB and the grids.
 *
 * @throws RangeError for a picture that is not a data URL
 */
export function comparisonPage(
  comparison: Comparison,
  { command = null, evaluations = null }: ComparisonPageOptions = {},
): string {
  const { first, second, measures, warnings } = comparison
  const album = pictureAlbum()
  const grids = (evaluations ?? []).flatMap(({ grids: own }, i) =>
    own.map((grid) => ({ ...grid, title: `${i === 0 ? 'First' : 'Second'}: ${grid.title}` })),
  )
  const body = html`${pageHeader('dit comparison', `${first.name} and ${second.name}`, html`<p>${inSum(measures)}</p>`)}
  ${warningsBox(warnings, measures)} ${section('compared', 'What was compared', comparedFacts(comparison))}
  ${section('differences', 'Differences', measures.length === 0 ? html`<p>There is no measure that both have.</p>` : differenceTable(measures))}
  ${section('grids', 'Pictures', grids.length > 0 && gridFigures(grids, album))}
  ${section(
    'repeat',
    'How to repeat it',
    html`${command === null ? null : html`<pre><code>${command}</code></pre>`}
      <p>The element <code>#data</code> of this page holds all of its numbers as JSON.</p>`,
  )}`
  return pageShell({
    title: `${first.name} and ${second.name}: comparison`,
    body,
    data: embeddedJson(comparison, album.ids),
  })
}

function comparedFacts(comparison: Comparison): Html {
  const { first, second, real, isPaired, intervals } = comparison
  const pairing = isPaired
    ? 'paired: sample by sample, both come from the same noise and class'
    : 'not paired: samples of the two have nothing to do with each other'
  return facts([
    ['First', setInWords(first)],
    ['Second', setInWords(second)],
    ['Against', setInWords(real)],
    ...extractorFacts(comparison),
    [
      'Intervals',
      html`${formatPercent(intervals.level)} of ${formatCount(intervals.numResamples)} bootstrap resamples at most<span
          class="quiet"
          >${pairing}</span
        >`,
    ],
  ])
}

function inSum(measures: readonly MeasureDifference[]): string {
  const count = (side: MeasureDifference['winner']) => measures.filter(({ winner }) => winner === side).length
  return `Of ${formatCount(measures.length)} ${measures.length === 1 ? 'measure' : 'measures'}, the first is better by ${count('first')}, the second by ${count('second')}; by ${count(null)} they cannot be told apart.`
}

function differenceTable(measures: readonly MeasureDifference[]): Html {
  return html`<p class="legend">
      <span>Difference: second minus first, with its interval. An interval that holds 0 decides nothing.</span>
    </p>
    <table class="measures" role="table">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">Measure</th>
          <th role="columnheader" scope="col">Difference</th>
          <th role="columnheader" scope="col">Values</th>
          <th role="columnheader" scope="col">Reading</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${measures.map(differenceRow)}
      </tbody>
    </table>`
}

function differenceRow(result: MeasureDifference): Html {
  const { title, first, second, difference, interval, winner, warnings } = result
  const range = interval === null ? 'no interval' : formatInterval(interval)
  const alt = `${capitalised(title)}: second minus first ${formatMeasure(difference, interval)}, ${interval === null ? range : `interval ${range}`}`
  return html`<tr role="row">
    <th role="rowheader" scope="row">
      <span class="name">${capitalised(title)}</span>
      <p class="meaning">${meaningOf(result)}</p>
    </th>
    <td role="cell">${intervalChart({ value: difference, interval, reference: null, isShare: false, alt })}</td>
    <td role="cell">
      <div>first <strong class="number">${formatMeasure(first, interval)}</strong></div>
      <div>second <strong class="number">${formatMeasure(second, interval)}</strong></div>
      <span class="range">difference ${formatMeasure(difference, interval)} (${range})</span>
    </td>
    <td role="cell">
      ${winnerVerdict(winner, interval !== null)}${warnings.map((warning) => html`<p class="warning">${warning}</p>`)}
    </td>
  </tr> `
}

function winnerVerdict(winner: MeasureDifference['winner'], isDecidable: boolean): Html {
  if (winner !== null)
    return html`<span class="verdict at-floor">${winner} is better</span>
      <p class="meaning">The interval of the difference leaves 0 out.</p>`
  return isDecidable
    ? html`<span class="verdict">no difference seen</span>
        <p class="meaning">The interval holds 0: more pictures may tell.</p>`
    : html`<span class="verdict">not decided</span>
        <p class="meaning">Without an interval, nobody knows how much of the difference is chance.</p>`
}
