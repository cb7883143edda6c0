import type { MeasureResult } from '../evaluation.js'
import { embeddedJson } from './embedded-json.js'
import { settingsList } from './facts.js'
import { formatCount, formatMeasure, formatShare, isNumber } from './format-number.js'
import { gridFigures } from './grids.js'
import { type Html, html } from './html.js'
import { learningCurves } from './learning-curves.js'
import { measureTable } from './measure-table.js'
import { pageShell } from './page-shell.js'
import { pictureAlbum } from './picture.js'
import { pageHeader, section } from './section.js'
import { measureTile, type Tile, tiles } from './tiles.js'
import { warningsBox } from './warnings.js'

/** A line of a run's log: a `StepRecord` of `@dit/train-ddp` is one. */
export interface RunRecord {
  readonly step: number
  readonly loss: number
  readonly learningRate: number
  /** Examples seen so far. */
  readonly examples?: number
  /** What was measured after this step, by name: `heldOut`, `heldOutSnr1`, and others. */
  readonly measures?: Readonly<Record<string, number>>
}

/** What was measured of a run after one of its steps. */
export interface RunEvaluation {
  readonly step: number
  readonly measures: readonly MeasureResult[]
}

/** Samples of a run after one of its steps; step 0 for pictures that are no samples, such as the data. */
export interface RunGrid {
  readonly step: number
  readonly title: string
  /** A PNG as a data URL. */
  readonly picture: string
  readonly width: number
  readonly height: number
}

/** Everything that the page of a run shows. */
export interface RunReport {
  /** As the user calls the run: its folder. */
  readonly name: string
  /** `training` has the page load itself again every 30 seconds. */
  readonly state: 'training' | 'finished' | 'stopped'
  /** Steps that it is to have. */
  readonly steps: number
  /** `config.json`, or what stands for it. */
  readonly config: Readonly<Record<string, unknown>>
  /** Lines of the log, in order. */
  readonly records: readonly RunRecord[]
  readonly evaluations: readonly RunEvaluation[]
  readonly grids: readonly RunGrid[]
  /** The checkpoint that is kept as the best, and by which measure; null where none is. */
  readonly best: { readonly step: number; readonly measure: string; readonly value: number } | null
  readonly warnings: readonly string[]
}

/** Options of `runPage`. */
export interface RunPageOptions {
  /** Share of resamples that the intervals span. Default: 0.95. */
  readonly level?: number
  /** Grids of samples that are shown, evenly spread over the run, the last always. Default: 6. */
  readonly maxGrids?: number
}

const REFRESH_SECONDS = 30

/**
 * A training run as one HTML file: progress, latest measures, learning curves, samples over time, recipe and settings. While the run trains, a
 * browser loads it again every 30 seconds.
 *
 * Its size does not grow with the run: curves have at most 300 points a line, and at most `maxGrids` grids are shown. The log itself stays
 * in its file.
 *
 * @throws RangeError for a picture that is not a data URL
 */
export function runPage(report: RunReport, { level = 0.95, maxGrids = 6 }: RunPageOptions = {}): string {
  const { name, state, config, records, evaluations, grids, best, warnings } = report
  const album = pictureAlbum()
  const latest = evaluations.at(-1)
  const shown = spread(grids, maxGrids)
  const body = html`${pageHeader('dit training run', name, progress(report))} ${tiles(headlines(report))}
  ${warningsBox(warnings, latest?.measures ?? [])}
  ${section('curves', 'Learning curves', records.length === 0 ? html`<p>No step has been logged yet.</p>` : html`<div class="charts">${learningCurves(report)}</div>`)}
  ${section('measures', `Measures at step ${formatCount(latest?.step ?? 0)}`, latest !== undefined && measureTable(latest.measures, level))}
  ${section('samples', 'Samples over time', shown.length > 0 && [shown.length < grids.length && html`<p>${formatCount(shown.length)} of ${formatCount(grids.length)} grids; the others lie in the run’s folder.</p>`, gridFigures(shown, album)])}
  ${section('settings', 'Recipe and settings', settingsList('Settings of the run', config))}`
  return pageShell({
    title: `${name}: training`,
    body,
    data: embeddedJson(
      {
        format: 'dit-run-report',
        version: 1,
        name,
        state,
        steps: report.steps,
        config,
        last: records.at(-1) ?? null,
        best,
        evaluations,
        warnings,
      },
      album.ids,
    ),
    refresh: state === 'training' ? REFRESH_SECONDS : null,
  })
}

const STATES = {
  training: `training: this page loads itself again every ${REFRESH_SECONDS} seconds`,
  finished: 'finished',
  stopped: 'stopped before its last step',
} as const

function progress({ records, steps, state }: RunReport): Html {
  const step = records.at(-1)?.step ?? 0
  const share = steps === 0 ? 0 : Math.min(1, step / steps)
  return html`<p>
      Step ${formatCount(step)} of ${formatCount(steps)} (${Math.floor(100 * share)} %), ${STATES[state]}.
    </p>
    <progress max="${steps}" value="${step}" aria-label="Steps trained">${formatShare(share)}</progress>`
}

function headlines({ records, evaluations, best }: RunReport): Tile[] {
  const last = records.at(-1)
  if (last === undefined) return []
  const heldOut = records.findLast(({ measures }) => isNumber(measures?.['heldOut']))
  const latest = evaluations.at(-1)
  const titleOf = (name: string) =>
    name === 'heldOut' ? 'held-out error' : (latest?.measures.find(({ measure }) => measure === name)?.title ?? name)
  const at = (step: number) => html`<span class="range">at step ${formatCount(step)}</span>`
  const found: (Tile | false)[] = [
    { title: 'Loss of the last step', number: formatMeasure(last.loss) },
    heldOut !== undefined && {
      title: 'Error on held-out pictures',
      number: formatMeasure(heldOut.measures!['heldOut']),
      below: at(heldOut.step),
    },
    ...(latest === undefined ? [] : latest.measures.slice(0, 1)).map((measure) => {
      const tile = measureTile(measure)
      return { ...tile, below: [tile.below ?? null, at(latest!.step)] }
    }),
    best !== null && {
      title: 'Best checkpoint',
      number: `step ${formatCount(best.step)}`,
      below: html`<span class="range">${titleOf(best.measure)} ${formatMeasure(best.value)}</span>`,
    },
    last.examples !== undefined && { title: 'Training examples seen', number: formatCount(last.examples) },
  ]
  return found.filter((tile) => tile !== false)
}

/** At most `max` of a list, evenly spread, with its first and last. */
function spread<Item>(items: readonly Item[], max: number): Item[] {
  if (items.length <= max) return [...items]
  return Array.from(
    { length: max },
    (_, i) => items[max === 1 ? items.length - 1 : Math.round((i * (items.length - 1)) / (max - 1))],
  )
}
