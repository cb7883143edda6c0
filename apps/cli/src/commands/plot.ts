import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { listCheckpoints, type StepRecord } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { Command } from 'commander'
import { svgToPng } from '../plot/fonts.js'
import { givenOptions } from '../settings/config-file.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import { addSettings, type CompleteFlags, type Settings, withDefaults } from '../settings/setting.js'
import { integer, path } from '../settings/values.js'
import { runPlot } from '../plot/run-plot.js'
import { readLog } from '../run/read-log.js'
import { denoisingOrNull } from '../run/objective-config.js'
import type { RunConfig } from '../run/run-config.js'
import { checkWritable, readRunConfig } from '../run/run-folder.js'
import { writeWhole } from '../run/write-whole.js'
import { UsageError } from '../terminal/errors.js'
import { formatCount } from '../terminal/format.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'

const PLOT_SETTINGS = {
  out: {
    flag: '--out <name>',
    help: 'write <name>.svg and <name>.png (default: plot, in the run folder)',
    parse: path,
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
  json: { ...OTHER_SETTINGS.json, help: 'print one JSON object' },
} as const satisfies Settings

type PlotFlags = CompleteFlags<typeof PLOT_SETTINGS>

/** `dit plot` */
export function plotCommand(call: Call): Command {
  const command = new Command('plot')
    .summary('draw the loss, held-out error and learning rate of a run')
    .description('Draws the loss, the held-out error and the learning rate of a run, finished or not, as SVG and PNG.')
    .argument('<run>', 'folder of a run', path)
  return addSettings(command, PLOT_SETTINGS)
    .addHelpText(
      'after',
      '\nExamples:\n  dit plot runs/demo/1\n  dit plot runs/shapes --scale linear --out pictures/loss',
    )
    .action((run: string) => {
      const flags = withDefaults(PLOT_SETTINGS, givenOptions(command))
      return plot(run, flags, createOutput(flags, call))
    })
}

async function plot(run: string, flags: PlotFlags, output: Output): Promise<void> {
  const config = await readRunConfig(run)
  const records = await readLog(run)
  if (records === null || records.length === 0) {
    const what = records === null ? 'has no log.jsonl' : 'has an empty log.jsonl'
    const [last] = await listCheckpoints(folderRunStore(run))
    if (last !== undefined) {
      throw new UsageError(
        `${run} ${what}, but was trained to step ${last}: its log was lost, so there are no losses to draw`,
      )
    }
    throw new UsageError(`${run} ${what}: no step was trained yet. Continue it with \`dit train --resume ${run}\``)
  }
  const losses = records.map(({ loss }) => loss)
  if (flags.scale === 'log' && Math.min(...losses) <= 0) {
    throw new UsageError(`--scale log needs losses above 0, but the smallest loss of ${run} is ${Math.min(...losses)}`)
  }
  const base = await outputBase(flags.out, run)
  await checkWritable('--out', dirname(base))
  const svg = runPlot(records, {
    title: `Training of ${run.replace(/\/+$/, '')}`,
    subtitle: describe(config, records),
    scale: flags.scale === 'auto' ? undefined : flags.scale,
    window: flags.window,
  })
  const png = svgToPng(svg, 1.5)
  await writeWhole(`${base}.svg`, svg)
  await writeWhole(`${base}.png`, png)
  output.line(`${base}.svg\n${base}.png`)
  output.event({ type: 'plot', svg: `${base}.svg`, png: `${base}.png`, steps: records.at(-1)!.step })
}

/** Path of the files without their endings. A folder gets them under the name `plot`. */
async function outputBase(out: string | undefined, run: string): Promise<string> {
  if (out === undefined) return join(run, 'plot')
  const found = await stat(out).catch(() => null)
  return found?.isDirectory() ? join(out, 'plot') : out.replace(/\.(svg|png)$/i, '')
}

function describe(config: RunConfig, records: readonly StepRecord[]): string {
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
      : `${data.kind === 'shapes' ? 'shapes' : basename(data.folder)}, ${data.size} x ${data.size} pixels`
  const done = formatCount(records.at(-1)!.step)
  return `${name}  ·  ${pictures}  ·  batch ${recipe.batchSize}  ·  ${done} of ${formatCount(steps)} steps`
}
