import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { RunConfig } from '../run/run-config.js'
import type { ComparedRun } from './comparison-plot.js'
import { evaluationKind } from './evaluated-series.js'
import { lossKind, type PlottedRun, unitsPerStep, type XKind } from './plotted-run.js'

/** Runs as they are drawn together, and what the user should know of them. */
export interface Comparison {
  readonly compared: readonly ComparedRun[]
  readonly notices: readonly string[]
  /** For the drawing, which may be seen without the notices. */
  readonly subtitle: string
}

/**
 * Names runs shortly, and finds what of them cannot be compared: losses of different kinds, errors on different data.
 *
 * @throws UsageError where a run has no such x axis
 */
export function compareRuns(runs: readonly PlottedRun[], x: XKind): Comparison {
  const names = shortNames(runs.map(({ folder }) => folder))
  const compared = runs.map((run, i): ComparedRun => ({
    name: names[i],
    records: run.records,
    unitsPerStep: unitsPerStep(run, x),
    lossKind: lossKind(run),
    evaluationKind: evaluationKind(run.records),
  }))
  const kinds = [...new Set(compared.map((run) => run.lossKind))]
  const ofKind = (kind: string) => compared.filter((run) => run.lossKind === kind).map(({ name }) => name)
  const unmeasured = compared.filter(({ records }) =>
    records.every(({ measures }) => !Number.isFinite(measures?.heldOut)),
  )
  const evaluations = [...new Set(compared.flatMap((run) => run.evaluationKind ?? []))]
  const ofEvaluation = (kind: string) =>
    compared
      .filter((run) => run.evaluationKind === kind)
      .map(({ name }) => name)
      .join(', ')
  const isSameData = runs.every(({ config }) => isDeepStrictEqual(dataOf(config), dataOf(runs[0].config)))
  const notices = [
    ...(kinds.length === 1
      ? []
      : [
          'the losses are of different kinds and cannot be compared, so each kind has an axis of its own',
          ...kinds.map((kind, k) => `kind ${k + 1} (${ofKind(kind).join(', ')}): ${kind}`),
        ]),
    ...(unmeasured.length === 0
      ? []
      : [
          `without a held-out error, which --val-share of \`dit train\` measures: ${unmeasured.map(({ name }) => name).join(', ')}`,
        ]),
    ...(evaluations.length < 2
      ? []
      : [
          'the samples of the runs were measured in different ways, which cannot be compared, so each kind has axes of its own',
          ...evaluations.map((kind, k) => `kind ${k + 1} of measures (${ofEvaluation(kind)}): ${kind}`),
        ]),
    ...(isSameData ? [] : ['the runs learn from different data, so their errors cannot be compared']),
  ]
  const subtitle = [
    'losses are smoothed',
    ...(kinds.length === 1 ? [] : ['those of different kinds cannot be compared']),
    ...(isSameData ? [] : ['the data differ']),
  ].join('  ·  ')
  return { compared, notices, subtitle }
}

/** The data of a run wherever they lie, and what of them is held out. */
function dataOf({ data, heldOut }: RunConfig): object {
  return { ...data, folder: undefined, contents: undefined, share: heldOut?.share }
}

/** The last parts of paths, as many as tell them apart. */
function shortNames(folders: readonly string[]): string[] {
  const parts = folders.map((folder) => resolve(folder).split(/[/\\]/))
  const longest = Math.max(...parts.map(({ length }) => length))
  for (let count = 1; count < longest; count++) {
    const names = parts.map((of) => of.slice(-count).join('/'))
    if (new Set(names).size === names.length) return names
  }
  return [...folders]
}
