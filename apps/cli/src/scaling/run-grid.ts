import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { NonFiniteLossError } from '@dit/train-ddp'
import { trainFromFlags } from '../commands/train.js'
import { type Job, singleJob } from '../job/job.js'
import { readLog } from '../run/read-log.js'
import { CONFIG_FILE } from '../run/run-config.js'
import { readRunConfig } from '../run/run-folder.js'
import { writeWhole } from '../run/write-whole.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { EXIT, UsageError } from '../terminal/errors.js'
import { onInterrupt } from '../terminal/interrupt.js'
import type { Output } from '../terminal/output.js'
import { type Clock, steadyClock } from '../time/clock.js'
import type { PlannedRun } from './grid-runs.js'
import { noteOf, RESULTS_FILE, type RunNote, RUNS_FOLDER } from './grid-places.js'
import { readNote, readRow } from './read-results.js'
import type { ResultRow } from './row.js'
import { toCsv } from './table-text.js'

/** How a part of a grid ended. */
export interface GridEnd {
  readonly done: number
  readonly left: number
  /** 128 + the number of a signal that stopped it; null at the end of the grid or of its minutes. */
  readonly interrupted: number | null
}

export interface GridOptions {
  readonly folder: string
  /** Seconds after which training stops, with a checkpoint; Infinity for none. */
  readonly seconds: number
  /** Options of the engine, which may change from part to part. */
  readonly engine: TrainFlags
  readonly clock?: Clock
}

/** What a run of a grid needs. */
export type RunState = 'finished' | 'diverged' | 'begun' | 'new'

/** Exit code with which a training stops at the end of the minutes; no signal has it. */
const TIME_IS_UP = 124

/**
 * Trains the runs of a grid that are not finished yet, one after the other, and writes the table of results after each.
 *
 * @throws UsageError where the folder holds a run that was begun with other options
 */
export async function runGrid(
  runs: readonly PlannedRun[],
  { folder, seconds, engine, clock = steadyClock }: GridOptions,
  output: Output,
): Promise<GridEnd> {
  const began = clock()
  const left = () => seconds - (clock() - began)
  const states = new Map<PlannedRun, RunState>()
  for (const run of runs) states.set(run, await stateOf(run, placeOf(folder, run)))
  const diverged = runs.filter((run) => states.get(run) === 'diverged')
  if (diverged.length > 0)
    output.notice(
      `${diverged.map(({ name }) => name).join(', ')} diverged before and ${diverged.length === 1 ? 'is' : 'are'} not tried again`,
    )
  const open = runs.filter((run) => ['begun', 'new'].includes(states.get(run)!))
  let done = runs.length - open.length
  if (done > 0) output.line(`${done} of ${runs.length} runs are done already`)
  for (const [i, run] of open.entries()) {
    if (left() <= 0) return { done, left: runs.length - done, interrupted: null }
    output.line(`\nrun ${done + 1} of ${runs.length}: ${run.name}`)
    const code = await trainRun(run, { folder, engine, isNew: states.get(run) === 'new', left }, output)
    await writeResults(folder, runs)
    if (code === TIME_IS_UP) return { done, left: runs.length - done, interrupted: null }
    if (code !== EXIT.ok) return { done, left: runs.length - done, interrupted: code }
    done++
    output.event({ type: 'scaling-run', run: run.name, done, left: open.length - i - 1 })
  }
  await writeResults(folder, runs)
  return { done, left: 0, interrupted: null }
}

export const placeOf = (folder: string, { name }: PlannedRun) => join(folder, RUNS_FOLDER, name)

/** What has become of a run so far. */
export async function stateOf({ name, flags }: PlannedRun, place: string): Promise<RunState> {
  const isThere = (await stat(join(place, CONFIG_FILE)).catch(() => null)) !== null
  const note = await readNote(place)
  if (note.diverged === true && isDeepStrictEqual(note.flags, plain(flags))) return 'diverged'
  if (!isThere) return 'new'
  if (note.flags === undefined)
    throw new UsageError(`${place} is a run that \`dit scaling run\` has not begun; move it, or rename the model`)
  const difference = differenceOf(note.flags, plain(flags))
  if (difference !== null) {
    throw new UsageError(
      `${name} was begun with other options (${difference}); rename the model or give another folder, since a run is never begun anew over its own results`,
    )
  }
  const { steps } = await readRunConfig(place)
  const records = await readLog(place)
  return records !== null && (records.at(-1)?.step ?? 0) >= steps ? 'finished' : 'begun'
}

interface Turn {
  readonly folder: string
  readonly engine: TrainFlags
  readonly isNew: boolean
  readonly left: () => number
}

/** Trains a run, or goes on with it, until it is done, time is up or a signal comes. Returns the exit code. */
async function trainRun(run: PlannedRun, { folder, engine, isNew, left }: Turn, output: Output): Promise<number> {
  const place = placeOf(folder, run)
  const note: RunNote = {
    budget: run.budget,
    multiplyAdds: run.multiplyAdds,
    params: run.params,
    flags: plain(run.flags),
  }
  const flags: TrainFlags = isNew ? { ...run.flags, ...engine, out: place } : { ...engine, resume: place }
  const job = stoppingJob(left)
  await writeNote(place, note)
  try {
    return await trainFromFlags(flags, withoutLines(output), job)
  } catch (error) {
    if (!isDiverged(error)) throw error
    await writeNote(place, { ...note, diverged: true })
    output.notice(`${run.name} diverged and is left out: ${(error as Error).message}`)
    return EXIT.ok
  }
}

function isDiverged(error: unknown): boolean {
  return error instanceof NonFiniteLossError || (error instanceof Error && error.cause instanceof NonFiniteLossError)
}

/** A job of this process that is also asked to stop when the time is up. */
function stoppingJob(left: () => number): Job {
  return {
    ...singleJob(),
    interruption(onFirst) {
      const signals = onInterrupt(onFirst)
      const time = new AbortController()
      const isUp = () => left() <= 0
      const timer = Number.isFinite(left()) ? setTimeout(() => time.abort(), Math.max(0, 1000 * left())) : undefined
      return {
        signal: AbortSignal.any([signals.signal, time.signal]),
        exitCode() {
          // A timer does not fire while a step computes without a pause.
          if (isUp()) time.abort()
          return signals.exitCode() ?? (time.signal.aborted ? TIME_IS_UP : null)
        },
        dispose() {
          clearTimeout(timer)
          signals.dispose()
        },
      }
    },
  }
}

/** One run among many prints its progress and its notices only. */
function withoutLines(output: Output): Output {
  const isProgress = (text: string) => /^\s*\d+\/\d+ /.test(text)
  return {
    ...output,
    line: (text = '') => (isProgress(text) ? output.line(text) : undefined),
    // Its hint names the run alone, which would go on beyond the minutes.
    notice: (text) => (/^stopped (at|before the first) step/.test(text) ? undefined : output.notice(text)),
  }
}

async function writeNote(place: string, note: RunNote): Promise<void> {
  await writeWhole(noteOf(place), `${JSON.stringify(note, null, 2)}\n`)
}

/** Rows of the runs that have begun: those of the grid in its order, then others in the folder, of earlier grids. */
export async function gridRows(folder: string, runs: readonly PlannedRun[]): Promise<ResultRow[]> {
  const there = await readdir(join(folder, RUNS_FOLDER), { withFileTypes: true }).catch(() => [])
  const found = there.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const others = found.filter((name) => !runs.some((run) => run.name === name)).toSorted()
  const rows: ResultRow[] = []
  for (const name of [...runs.map((run) => run.name), ...others]) {
    const place = join(folder, RUNS_FOLDER, name)
    if ((await stat(join(place, CONFIG_FILE)).catch(() => null)) === null) continue
    rows.push(await readRow(place, name))
  }
  return rows
}

async function writeResults(folder: string, runs: readonly PlannedRun[]): Promise<void> {
  await writeWhole(join(folder, RESULTS_FILE), toCsv(await gridRows(folder, runs)))
}

/** As it comes back from a file. */
function plain(flags: TrainFlags): Record<string, unknown> {
  return JSON.parse(JSON.stringify(flags)) as Record<string, unknown>
}

function differenceOf(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string | null {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])]
  const key = keys.find((each) => !isDeepStrictEqual(before[each], now[each]))
  return key === undefined ? null : `${key}: ${JSON.stringify(before[key])} then, ${JSON.stringify(now[key])} now`
}
