import { access } from 'node:fs/promises'
import { Command } from 'commander'
import { analyse, type Analysis, type AnalysisOptions } from '../../scaling/analysis.js'
import { fitLines, fitNotices } from '../../scaling/fit-report.js'
import { readGrid } from '../../scaling/grid.js'
import { plannedRuns } from '../../scaling/grid-runs.js'
import { predictionLines, type Prediction, predictionsOf } from '../../scaling/predictions.js'
import { withPatch } from '../../scaling/patch-sizes.js'
import { readResults } from '../../scaling/read-results.js'
import { givenOptions } from '../../settings/config-file.js'
import { type ANALYSIS_SETTINGS, ESTIMATORS, FIT_SETTINGS } from '../../settings/scaling-settings.js'
import { addSettings, type CompleteFlags, type FlagsOf, withDefaults } from '../../settings/setting.js'
import { path } from '../../settings/values.js'
import { writeWhole } from '../../run/write-whole.js'
import { UsageError } from '../../terminal/errors.js'
import type { Call } from '../../terminal/io.js'
import { createOutput, type Output } from '../../terminal/output.js'

const EXAMPLES = `
Results are tables (CSV or JSON with a column examples, one of multiplyAdds and params, and loss), runs with --val-share, or the
folder of \`dit scaling run\`. The loss of a run is its held-out error after its last step.

Examples:
  dit scaling fit results/shapes
  dit scaling fit results/shapes --predict larger.json --out prediction.json
  dit scaling fit results.csv --size params --hold-out-above 1e14`

/** Adds the argument that names results. */
export function addResults(command: Command): Command {
  return command.argument('<results...>', 'tables, runs, or folders of runs', (text: string, before?: string[]) => [
    ...(before ?? []),
    path(text),
  ])
}

/** How flags say that a table is fitted. */
export function analysisOptions(flags: CompleteFlags<typeof ANALYSIS_SETTINGS>): AnalysisOptions {
  return { ...flags, estimator: ESTIMATORS[flags.estimator] }
}

/** `dit scaling fit` */
export function fitCommand(call: Call): Command {
  const command = new Command('fit')
    .summary('fit scaling laws to results, with intervals')
    .description(
      'Fits loss = E + A / n^alpha + B / d^beta to results, parabolas of equal compute, and the best loss over compute; with intervals, and with what the data cannot tell.',
    )
  return addSettings(addResults(command), FIT_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async (results: string[]) => {
      const flags = withDefaults(FIT_SETTINGS, givenOptions<FlagsOf<typeof FIT_SETTINGS>>(command))
      await fit(results, flags, createOutput(flags, call))
    })
}

async function fit(
  results: readonly string[],
  flags: CompleteFlags<typeof FIT_SETTINGS>,
  output: Output,
): Promise<void> {
  const { out, force, predict, size, level } = flags
  const isTaken =
    out !== undefined &&
    (await access(out).then(
      () => true,
      () => false,
    ))
  if (isTaken && force !== true) throw new UsageError(`--out ${out} exists; give another name, or --force`)
  const analysis = analyse(await readResults(results), analysisOptions(flags))
  const predictions = predict === undefined ? [] : await predicted(analysis, predict, flags.patch)
  for (const line of fitLines(analysis, flags.estimator)) output.line(line)
  if (predictions.length > 0)
    for (const line of predictionLines(predictions, size, `${Number((100 * level).toPrecision(3))} %`))
      output.line(line)
  for (const notice of fitNotices(analysis)) output.notice(notice)
  if (analysis.law.doubts.length > 0)
    output.notice(
      `nothing should be extrapolated from this fit, and \`dit scaling plan\` refuses it: ${analysis.law.doubts.join('; ')}`,
    )
  const record = fitRecord(analysis, flags, predictions)
  if (out !== undefined) {
    await writeWhole(out, `${JSON.stringify(record, null, 2)}\n`)
    output.line(`\n${out}`)
  }
  output.event({ type: 'scaling-fit', ...record })
}

async function predicted(analysis: Analysis, grid: string, patch?: number): Promise<Prediction[]> {
  const runs = withPatch(await plannedRuns(await readGrid(grid)), patch)
  return predictionsOf(analysis, runs, new Set(analysis.fitted.map(({ name }) => name)))
}

/** A fit as data: what was asked, what came, and the table that it came from. */
function fitRecord(
  analysis: Analysis,
  flags: CompleteFlags<typeof FIT_SETTINGS>,
  predictions: readonly Prediction[],
): object {
  const { law, isoFlop, frontier, extrapolation, spread, fitted, runs, leftOut } = analysis
  const { out: _out, force: _force, json: _json, ...options } = flags
  const { law: numbers, exponentN, objective, condition, residuals } = law.fit
  return {
    format: 'dit-scaling-fit-1',
    options,
    law: numbers,
    exponentN,
    intervals: law.intervals,
    objective,
    spread,
    condition,
    warnings: fitNotices(analysis),
    doubts: law.doubts,
    fitted: fitted.map(({ name, n, d, compute, loss }, i) => ({ name, n, d, compute, loss, residual: residuals[i] })),
    leftOut,
    ...(predictions.length === 0 ? {} : { predictions }),
    ...(extrapolation === null
      ? {}
      : {
          heldOut: extrapolation.runs.map(({ row, ...rest }) => ({ name: runs[row].name, ...rest })),
          extrapolationError: extrapolation.error,
        }),
    ...(isoFlop === null
      ? {}
      : {
          isoFlop: {
            parabolas: isoFlop.parabolas,
            exponentN: isoFlop.exponentN,
            interceptN: isoFlop.interceptN,
            interval: isoFlop.interval,
          },
        }),
    ...(frontier === null
      ? {}
      : { frontier: { c: frontier.c, k: frontier.k, kInterval: frontier.kInterval, r: frontier.r } }),
  }
}
