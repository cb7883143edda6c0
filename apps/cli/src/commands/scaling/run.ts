import { mkdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { planModuleTime, type ModelPace, planTime } from '../../run/planned-time.js'
import { plannedData } from '../../run/plan-training.js'
import { readLog } from '../../run/read-log.js'
import { checkWritable } from '../../run/run-folder.js'
import { writeWhole } from '../../run/write-whole.js'
import { type Grid, readGrid } from '../../scaling/grid.js'
import { GRID_FILE, RESULTS_FILE } from '../../scaling/grid-places.js'
import { type PlannedRun, plannedRuns } from '../../scaling/grid-runs.js'
import { placeOf, runGrid, type RunState, stateOf } from '../../scaling/run-grid.js'
import { givenEngine } from '../../scaling/given-engine.js'
import { givenOptions } from '../../settings/config-file.js'
import { RUN_SETTINGS } from '../../settings/scaling-settings.js'
import { addSettings, type FlagsOf } from '../../settings/setting.js'
import type { TrainFlags } from '../../settings/train-settings.js'
import { path as pathValue } from '../../settings/values.js'
import { Failure, messageOf, UsageError } from '../../terminal/errors.js'
import { formatCount, formatQuantity, formatRough, formatTable } from '../../terminal/format.js'
import { runTime } from '../../time/run-time.js'
import type { Call } from '../../terminal/io.js'
import { machineMemory } from '../../terminal/machine-memory.js'
import { createOutput, type Output } from '../../terminal/output.js'

const EXAMPLES = `
A grid is a JSON file:
  {
    "train": { "data": "shapes", "size": 16, "batch": 32, "valShare": 0.01, "sampleEvery": null },
    "models": [{ "name": "small", "hidden": 32, "depth": 2, "heads": 2, "patch": 4 }, ...],
    "budgets": [1e12, 4e12, 16e12, 64e12],
    "learningRate": { "rate": 0.001, "atHidden": 64, "power": -0.5 }
  }
"train" and the models take options of \`dit train\` by their names in camel case; budgets are multiply-adds of a training. Each point
is an ordinary run in <out>/runs; finished ones are kept, begun ones go on. docs/scaling.md has all keys.

Examples:
  dit scaling run shapes.json --plan
  dit scaling run shapes.json --minutes 45 --out results/shapes`

type RunFlags = FlagsOf<typeof RUN_SETTINGS>

/** `dit scaling run` */
export function runCommand(call: Call): Command {
  const command = new Command('run')
    .summary('train a grid of models and budgets, in parts')
    .description(
      'Trains every model of a grid with every budget of compute, one after the other, and collects their held-out errors.',
    )
    .argument('<grid>', 'JSON file that says what is trained', pathValue)
  return addSettings(command, RUN_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async (file: string) => {
      const flags = givenOptions<RunFlags>(command)
      call.exitCode = await runScaling(file, flags, createOutput(flags, call))
    })
}

async function runScaling(file: string, flags: RunFlags, output: Output): Promise<number> {
  const { minutes, plan } = flags
  const grid = await readGrid(file)
  const folder = flags.out ?? file.replace(/\.json$/i, '')
  if (folder === file) throw new UsageError(`${file} does not end in .json: give --out, the folder of the results`)
  if (grid.train.valShare === undefined && grid.models.some(({ flags: own }) => own.valShare === undefined))
    throw new UsageError(
      `${file}: "train" needs "valShare": the loss of a run is its error on pictures that were held out`,
    )
  const runs = await plannedRuns(grid)
  if (plan === true) return showPlan(grid, runs, { folder, ...flags }, output)
  await checkWritable('--out', folder)
  // A grid that is refused replaces nothing.
  for (const run of runs) await stateOf(run, placeOf(folder, run))
  await keepGrid(file, folder, grid, output)
  const { done, left, interrupted } = await runGrid(
    runs,
    { folder, seconds: minutes === undefined ? Infinity : 60 * minutes, engine: givenEngine(flags) },
    output,
  )
  const results = join(folder, RESULTS_FILE)
  output.event({ type: 'scaling-end', done, left, results })
  if (left > 0) {
    output.notice(`${done} of ${runs.length} runs are done; the same command goes on`)
    return interrupted ?? 0
  }
  output.line(`\nall ${runs.length} runs are done: ${results}\nfit them with: dit scaling fit ${folder}`)
  return 0
}

/**
 * Keeps a copy of the grid with its results, for `dit scaling plan`. It replaces the one that was there before, and says which models it
 * had that this one has not.
 */
async function keepGrid(file: string, folder: string, grid: Grid, output: Output): Promise<void> {
  const copy = join(folder, GRID_FILE)
  if (resolve(file) === resolve(copy)) return
  const text = await readFile(file, 'utf8')
  const before = await readFile(copy, 'utf8').catch(() => null)
  if (before === text) return
  const gone =
    before === null ? [] : modelNames(before).filter((name) => !grid.models.some((each) => each.name === name))
  if (gone.length > 0) {
    output.notice(
      `${copy} is replaced: ${gone.join(', ')} of the grid before ${gone.length === 1 ? 'is' : 'are'} not in this one; what was trained stays in ${RESULTS_FILE}`,
    )
  }
  await mkdir(folder, { recursive: true })
  await writeWhole(copy, text)
}

/** Names of the models of a grid, whatever else is in it. */
function modelNames(text: string): string[] {
  try {
    const { models } = JSON.parse(text) as { readonly models?: readonly { readonly name?: unknown }[] }
    return (models ?? []).flatMap(({ name }) => (typeof name === 'string' ? name : []))
  } catch {
    return []
  }
}

/** The runs with their cost, and how long those that are left would take. */
async function showPlan(
  grid: Grid,
  runs: readonly PlannedRun[],
  { folder, time, minutes = 45, ...flags }: RunFlags & { folder: string },
  output: Output,
): Promise<number> {
  const paces = new Map<string, ModelPace | null>()
  const engine = givenEngine(flags)
  const data = await plannedData(grid.train, { line: () => {} })
  if (time !== false) output.line('timing steps of each model on this machine (--no-time skips it)')
  const rows = []
  for (const run of runs) {
    const isThere = (await stat(placeOf(folder, run)).catch(() => null)) !== null
    const state = isThere ? await stateOf(run, placeOf(folder, run)) : 'new'
    if (time !== false && !paces.has(run.model)) paces.set(run.model, await paceOf(run, engine, data, output))
    const pace = paces.get(run.model) ?? null
    const left = await shareLeft(run, state, folder)
    rows.push({ run, state, seconds: pace === null ? null : left * secondsOf(run, pace) })
  }
  const header = ['run', 'params', 'multiply-adds', 'steps', 'examples', 'compute', 'lr', 'time', '']
  const cells = rows.map(({ run, state, seconds: own }) => [
    run.name,
    formatQuantity(run.params),
    formatQuantity(run.multiplyAdds),
    formatCount(run.flags.steps),
    formatQuantity(run.flags.steps * run.batchSize),
    formatQuantity(run.compute),
    run.flags.lr === undefined ? '' : String(run.flags.lr),
    own === null ? '' : formatRough(own),
    state === 'new' ? '' : state,
  ])
  for (const line of formatTable(
    [header, ...cells],
    header.map((_, i) => i > 0 && i < 8),
  ))
    output.line(line)
  for (const notice of budgetNotices(runs)) output.notice(notice)
  const open = rows.filter(({ state }) => state === 'new' || state === 'begun')
  const known = open.every((row) => row.seconds !== null)
  const total = open.reduce((sum, row) => sum + (row.seconds ?? 0), 0)
  if (time !== false && known)
    output.line(
      `\n${open.length} of ${runs.length} runs are left: about ${formatRough(total)}, or ${partsText(total / 60, minutes)}`,
    )
  output.event({
    type: 'scaling-run-plan',
    runs: rows.map(({ run: { flags: own, ...run }, state, seconds: each }) => ({
      ...run,
      steps: own.steps,
      lr: own.lr ?? null,
      state,
      seconds: each,
    })),
    seconds: known && time !== false ? total : null,
  })
  return 0
}

/** `3 parts of 45 minutes` */
function partsText(total: number, minutes: number): string {
  const parts = Math.max(1, Math.ceil(total / minutes))
  return `${parts} part${parts === 1 ? '' : 's'} of ${minutes} minutes`
}

/** How fast the steps of a model are, and what there is beside them; null, with a notice, where it cannot be timed. */
async function paceOf(
  run: PlannedRun,
  engine: TrainFlags,
  data: Awaited<ReturnType<typeof plannedData>>,
  output: Output,
): Promise<ModelPace | null> {
  const flags = { ...run.flags, ...engine }
  try {
    return flags.objective === undefined
      ? await planTime(flags, data, { workers: 1, available: machineMemory() })
      : await planModuleTime(flags, data, run.multiplyAdds)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    output.notice(`${run.model}: no time is estimated: ${messageOf(error)}`)
    return null
  }
}

/** Of the steps of a run that was begun, those that are left. */
async function shareLeft(run: PlannedRun, state: RunState, folder: string): Promise<number> {
  if (state !== 'begun') return 1
  const records = await readLog(placeOf(folder, run))
  return 1 - (records?.at(-1)?.step ?? 0) / run.flags.steps
}

/** Seconds of a run, by the pace of its model: runs of other lengths may be evaluated at other steps. */
function secondsOf({ flags }: PlannedRun, { secondsPerStep, extras }: ModelPace): number {
  return runTime(secondsPerStep, { ...extras, evaluateEvery: flags.evalEvery ?? null }, flags.steps).seconds
}

/** Runs whose whole steps miss their budget by more than this share cannot be compared at equal compute. */
const MOST_OFF = 0.02

function budgetNotices(runs: readonly PlannedRun[]): string[] {
  const off = runs.filter(({ budget, compute }) => Math.abs(compute / budget - 1) > MOST_OFF)
  if (off.length === 0) return []
  return [
    `the steps of ${off.map(({ name }) => name).join(', ')} are so few that whole ones miss the budget by more than ${100 * MOST_OFF} %`,
  ]
}
