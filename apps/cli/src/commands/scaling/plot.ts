import { dirname } from 'node:path'
import { stat } from 'node:fs/promises'
import { Command } from 'commander'
import { svgToPng } from '../../plot/fonts.js'
import { plotPlace } from '../../plot/plot-place.js'
import { analyse } from '../../scaling/analysis.js'
import { fitNotices } from '../../scaling/fit-report.js'
import { plottedCsv } from '../../scaling/plotted-csv.js'
import { readResults } from '../../scaling/read-results.js'
import { scalingPlot } from '../../scaling/scaling-plot.js'
import { givenOptions } from '../../settings/config-file.js'
import { PLOT_SETTINGS } from '../../settings/scaling-settings.js'
import { addSettings, type CompleteFlags, type FlagsOf, withDefaults } from '../../settings/setting.js'
import { checkWritable } from '../../run/run-folder.js'
import { writeWhole } from '../../run/write-whole.js'
import type { Call } from '../../terminal/io.js'
import { createOutput, type Output } from '../../terminal/output.js'
import { addResults, analysisOptions } from './fit.js'

const EXAMPLES = `
Examples:
  dit scaling plot results/shapes
  dit scaling plot results.csv --hold-out-above 1e14 --out pictures/law`

/** `dit scaling plot` */
export function plotCommand(call: Call): Command {
  const command = new Command('plot')
    .summary('draw a scaling law with its runs, intervals and residuals')
    .description('Draws results and the law fitted to them as SVG and PNG, and writes what was drawn as CSV.')
  return addSettings(addResults(command), PLOT_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async (results: string[]) => {
      const flags = withDefaults(PLOT_SETTINGS, givenOptions<FlagsOf<typeof PLOT_SETTINGS>>(command))
      await plot(results, flags, createOutput(flags, call))
    })
}

async function plot(
  results: readonly string[],
  flags: CompleteFlags<typeof PLOT_SETTINGS>,
  output: Output,
): Promise<void> {
  const [first] = results
  const isFolder = results.length === 1 && (await stat(first).catch(() => null))?.isDirectory() === true
  const analysis = analyse(await readResults(results), analysisOptions(flags))
  const base = await plotPlace(flags.out, { folder: isFolder ? first : '', name: 'scaling' }, flags.force === true)
  await checkWritable('--out', dirname(base))
  const svg = scalingPlot(analysis, `Scaling law of ${results.join(', ')}`)
  await writeWhole(`${base}.svg`, svg)
  await writeWhole(`${base}.png`, svgToPng(svg, 1.5))
  await writeWhole(`${base}.csv`, plottedCsv(analysis))
  for (const notice of fitNotices(analysis)) output.notice(notice)
  output.line(`${base}.svg\n${base}.png\n${base}.csv`)
  output.event({
    type: 'scaling-plot',
    svg: `${base}.svg`,
    png: `${base}.png`,
    csv: `${base}.csv`,
    runs: analysis.runs.length,
  })
}
