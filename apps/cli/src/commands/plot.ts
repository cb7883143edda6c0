import { access } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { svgToPng } from '../plot/fonts.js'
import { compareRuns } from '../plot/compare-runs.js'
import { comparisonPlot } from '../plot/comparison-plot.js'
import { plotPlace } from '../plot/plot-place.js'
import { type PlottedRun, readPlottedRun, unitsPerStep, X_KINDS } from '../plot/plotted-run.js'
import { givenOptions } from '../settings/config-file.js'
import { flagOf } from '../settings/flag-of.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import {
  addSettings,
  type CompleteFlags,
  firstGiven,
  type FlagsOf,
  type Settings,
  withDefaults,
} from '../settings/setting.js'
import { integer, path } from '../settings/values.js'
import { runPlot } from '../plot/run-plot.js'
import { EVENTS_FOLDER, openEventFile } from '../tensorboard/event-file.js'
import { isGenerated } from '../run/generated-data.js'
import { denoisingOrNull } from '../run/objective-config.js'
import { placeOfData } from '../run/open-data.js'
import { LOCK_FILE } from '../run/run-config.js'
import { checkWritable } from '../run/run-folder.js'
import { writeWhole } from '../run/write-whole.js'
import { UsageError } from '../terminal/errors.js'
import { formatCount } from '../terminal/format.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'

const PLOT_SETTINGS = {
  out: {
    flag: '--out <name>',
    help: 'write <name>.svg and <name>.png (default: plot, in the run folder; comparison, here, of several runs)',
    parse: path,
  },
  x: {
    flag: '--x <what>',
    help: 'what the x axis counts (default {default}); examples or multiply-adds are fair to runs with other batches or models',
    choices: X_KINDS,
    default: 'steps',
  },
  scale: {
    flag: '--scale <kind>',
    help: 'scale of the loss axis (default {default}: log if the losses span a large range)',
    choices: ['auto', 'linear', 'log'],
    default: 'auto',
  },
  window: {
    flag: '--window <steps>',
    help: 'steps averaged by the smooth line (default: a fiftieth of the run)',
    parse: integer(1),
  },
  tensorboard: {
    flag: '--tensorboard',
    help: 'write the log and the grids of samples as event files for TensorBoard, into tensorboard/ in each run, instead of drawing',
  },
  force: { flag: '--force', help: 'overwrite existing files instead of numbering the new ones' },
  json: { ...OTHER_SETTINGS.json, help: 'print one JSON object' },
} as const satisfies Settings

type PlotFlags = CompleteFlags<typeof PLOT_SETTINGS>

const HELP = `
Of several runs, held-out errors share one axis, and so do losses of one kind. Losses of runs that predict different things
cannot be compared: each kind gets an axis of its own.

Examples:
  dit plot runs/demo/1
  dit plot runs/shapes --scale linear --out pictures/loss
  dit plot runs/small runs/large --x multiply-adds
  dit plot runs/shapes --tensorboard`

/** `dit plot` */
export function plotCommand(call: Call): Command {
  const command = new Command('plot')
    .summary('draw the loss, held-out error and learning rate of a run, or compare runs')
    .description(
      'Draws the loss, the held-out error and the learning rate of a run, finished or not, as SVG and PNG; or the errors and losses of several runs.',
    )
    .argument('<runs...>', 'folders of runs', (text: string, before?: string[]) => [...(before ?? []), path(text)])
  return addSettings(command, PLOT_SETTINGS)
    .addHelpText('after', HELP)
    .action((runs: string[]) => {
      const given = givenOptions<FlagsOf<typeof PLOT_SETTINGS>>(command)
      checkEventFlags(given)
      const flags = withDefaults(PLOT_SETTINGS, given)
      return plot(runs, flags, createOutput(flags, call))
    })
}

/** Throws for options of drawings beside `--tensorboard`. */
function checkEventFlags(given: FlagsOf<typeof PLOT_SETTINGS>): void {
  const { tensorboard: _tensorboard, ...drawing } = PLOT_SETTINGS
  const stray = given.tensorboard === true ? firstGiven(drawing, given) : undefined
  if (stray === undefined) return
  throw new UsageError(`${flagOf(stray)} is for drawings, but --tensorboard writes event files; leave one of them out`)
}

async function plot(folders: readonly string[], flags: PlotFlags, output: Output): Promise<void> {
  const places = folders.map((folder) => resolve(folder))
  const twice = folders.find((_, i) => places.indexOf(places[i]) !== i)
  if (twice !== undefined) throw new UsageError(`${twice} is given twice`)
  const runs: PlottedRun[] = []
  for (const folder of folders) runs.push(await readPlottedRun(folder))
  if (flags.tensorboard === true) {
    for (const run of runs) await writeEvents(run, output)
    return
  }
  for (const run of runs) checkScale(run, flags.scale)
  const [first] = runs
  const usual = runs.length === 1 ? { folder: first.folder, name: 'plot' } : { folder: '', name: 'comparison' }
  const base = await plotPlace(flags.out, usual, flags.force === true)
  await checkWritable('--out', dirname(base))
  const svg = runs.length === 1 ? singlePlot(first, flags) : compare(runs, flags, output)
  const png = svgToPng(svg, 1.5)
  await writeWhole(`${base}.svg`, svg)
  await writeWhole(`${base}.png`, png)
  output.line(`${base}.svg\n${base}.png`)
  const steps = runs.map(({ folder, records }) => ({ run: folder, steps: records.at(-1)!.step }))
  const counts = runs.length === 1 ? { steps: steps[0].steps } : { runs: steps }
  output.event({ type: 'plot', svg: `${base}.svg`, png: `${base}.png`, ...counts })
}

function checkScale({ folder, records }: PlottedRun, scale: PlotFlags['scale']): void {
  const smallest = records.reduce((least, { loss }) => Math.min(least, loss), Infinity)
  if (scale === 'log' && smallest <= 0) {
    throw new UsageError(`--scale log needs losses above 0, but the smallest loss of ${folder} is ${smallest}`)
  }
}

function singlePlot(run: PlottedRun, { x, scale, window }: PlotFlags): string {
  return runPlot(run.records, {
    title: `Training of ${run.folder.replace(/\/+$/, '')}`,
    subtitle: describe(run),
    scale: scale === 'auto' ? undefined : scale,
    window,
    x: { kind: x, unitsPerStep: unitsPerStep(run, x) },
  })
}

/** Draws several runs, and says what of them cannot be compared. */
function compare(runs: readonly PlottedRun[], { x, scale, window }: PlotFlags, output: Output): string {
  const { compared, notices, subtitle } = compareRuns(runs, x)
  for (const notice of notices) output.notice(notice)
  return comparisonPlot(compared, {
    title: `Training of ${runs.length} runs`,
    subtitle,
    x,
    scale: scale === 'auto' ? undefined : scale,
    window,
  })
}

/** Writes the events of a run that does not write them itself at the moment. */
async function writeEvents({ folder, config, records }: PlottedRun, output: Output): Promise<void> {
  const isLocked = await access(join(folder, LOCK_FILE)).then(
    () => true,
    () => false,
  )
  if (config.tensorboard === true && isLocked) {
    throw new UsageError(`${folder} is being trained and writes its events itself; wait for its end`)
  }
  await checkWritable('--tensorboard', join(folder, EVENTS_FOLDER))
  const { path: file } = await openEventFile(folder, records.at(-1)!.step)
  output.line(file)
  output.event({ type: 'events', run: folder, file })
}

function describe({ config, records }: PlottedRun): string {
  const { modelName, data, steps, recipe } = config
  const model = denoisingOrNull(config)?.model
  const own =
    model === undefined
      ? `objective of ${basename('module' in config.objective ? config.objective.module : '')}`
      : `DiT, hidden ${model.hiddenSize}, depth ${model.depth}, patch ${model.patchSize}`
  const name = modelName ?? own
  const pictures =
    data.kind === 'module'
      ? 'data of the module'
      : `${isGenerated(data) ? data.kind : basename(placeOfData(data))}, ${data.size} x ${data.size} pixels`
  const done = formatCount(records.at(-1)!.step)
  return `${name}  ·  ${pictures}  ·  batch ${recipe.batchSize}  ·  ${done} of ${formatCount(steps)} steps`
}
