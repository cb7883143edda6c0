import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Agreement, compareRows } from './agreement.js'
import { type CaseFiles, writeCaseFiles } from './case-files.js'
import type { BenchCase } from './cases.js'
import { type EngineRow, startWorker } from './engines.js'
import type { Opened, Ran } from './protocol.js'
import { median, spread } from './statistics.js'
import type { WorkerProcess } from './worker-process.js'

/** A row of the results: one case on one engine. */
export interface Measured {
  readonly case: string
  readonly engine: string
  readonly threads: number
  readonly description: string
  readonly medianMs: number
  /** Third quartile less first. */
  readonly spreadMs: number
  /** 10^9 operations a second at the median, 2 a multiply-add; null where the case counts none. */
  readonly gflops: number | null
  /** Processors kept busy at the median: CPU time over time. */
  readonly coresUsed: number
  /** Largest resident size of the process during the repetitions, by the operating system's account. */
  readonly peakBytes: number
  /** False where the operating system cannot forget the peak of the preparation. */
  readonly isPeakReset: boolean
  /** Parameters, gradients, optimizer state (or operands). */
  readonly stateBytes: number
  /** Resident size with the engine up and nothing else. */
  readonly idleBytes: number
  /** The engine's own count of its buffers at their peak; null where it keeps none. */
  readonly backendPeakBytes: number | null
  readonly timesMs: readonly number[]
  /** What was compared with the other engines; null where the engine has draws of its own. */
  readonly checked: readonly number[] | null
}

/** An engine that could not run a case. */
export interface Skipped extends EngineRow {
  readonly case: string
  /** Whether it did not even start: no other case needs to try. */
  readonly neverOpened: boolean
  readonly reason: string
}

export interface CaseResult {
  readonly measured: readonly Measured[]
  readonly skipped: readonly Skipped[]
  readonly agreement: Agreement
}

export interface RunCaseOptions {
  readonly rounds: number
  readonly budgetSeconds: number
  readonly python: string | null
  /** Told what happens. */
  readonly log: (line: string) => void
}

/** An engine at work on the case. */
interface Runner {
  readonly row: EngineRow
  readonly worker: WorkerProcess
  readonly opened: Opened
  readonly stateBytes: number
  readonly values: readonly number[] | null
  readonly ran: Ran[]
  isPeakReset: boolean
}

/** Lets threads that wait for more work go to sleep before another engine is timed. */
const PAUSE_MS = 100
/** Repetitions shorter than this follow an untimed one: a process that waited finds caches and pages cold, one at work does not. */
const WARM_MS = 5000
/** An engine that is over its budget still does so many rounds. */
const MIN_ROUNDS = 3

/**
 * Runs a case on several engines, each in a process of its own: all are opened and checked against each other, then take
 * turns, one timed repetition each a round.
 */
export async function runCase(
  { name, spec, flops, tolerance }: BenchCase,
  rows: readonly EngineRow[],
  options: RunCaseOptions,
): Promise<CaseResult> {
  const folder = await mkdtemp(join(tmpdir(), 'dit-bench-'))
  const workers: WorkerProcess[] = []
  const skipped: Skipped[] = []
  const skip = (row: EngineRow, neverOpened: boolean, error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    skipped.push({ ...row, case: name, neverOpened, reason })
  }

  async function prepare(row: EngineRow, files: CaseFiles): Promise<Runner | null> {
    const worker = startWorker(row.engine, options.python)
    workers.push(worker)
    let opened: Opened | null = null
    try {
      opened = await worker.ask({ ask: 'open', ...row })
      const { stateBytes } = await worker.ask({ ask: 'load', spec, files })
      const { values } = await worker.ask({ ask: 'verify' })
      return { row, worker, opened, stateBytes, values, ran: [], isPeakReset: false }
    } catch (error) {
      skip(row, opened === null, error)
      worker.stop()
      return null
    }
  }

  try {
    const files = await writeCaseFiles(folder, spec)
    let runners: Runner[] = []
    for (const row of rows) {
      options.log(`${name}: checking ${row.engine} x${row.threads}`)
      const runner = await prepare(row, files)
      if (runner !== null) runners.push(runner)
    }
    const agreement = compareRows(
      runners.map(({ row, values }) => ({ ...row, values })),
      tolerance,
    )
    for (const runner of runners) runner.isPeakReset = (await runner.worker.ask({ ask: 'settle' })).isPeakReset
    for (let round = 0; round < options.rounds; round++) {
      options.log(`${name}: round ${round + 1} of ${options.rounds}`)
      for (const runner of runners) {
        if (hasDoneEnough(runner, options.budgetSeconds)) continue
        await sleep(PAUSE_MS)
        try {
          if ((runner.ran.at(-1)?.ms ?? 0) < WARM_MS) await runner.worker.ask({ ask: 'run' })
          runner.ran.push(await runner.worker.ask({ ask: 'run' }))
        } catch (error) {
          skip(runner.row, false, error)
          runners = runners.filter((other) => other !== runner)
        }
      }
    }
    const measured: Measured[] = []
    for (const runner of runners) measured.push(await summary(name, flops, runner))
    return { measured, skipped, agreement }
  } finally {
    for (const worker of workers) worker.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function hasDoneEnough({ ran }: Runner, budgetSeconds: number): boolean {
  return ran.length >= MIN_ROUNDS && ran.reduce((total, { ms }) => total + ms, 0) > 1000 * budgetSeconds
}

async function summary(
  name: string,
  flops: number | null,
  { row, worker, opened, stateBytes, values, ran, isPeakReset }: Runner,
): Promise<Measured> {
  const { peakBytes, backendPeakBytes } = await worker.ask({ ask: 'memory' })
  const timesMs = ran.map(({ ms }) => ms)
  const medianMs = median(timesMs)
  return {
    case: name,
    engine: row.engine,
    threads: opened.threads,
    description: opened.description,
    medianMs,
    spreadMs: spread(timesMs),
    gflops: flops === null ? null : flops / medianMs / 1e6,
    coresUsed: median(ran.map(({ ms, cpuMs }) => cpuMs / ms)),
    peakBytes,
    isPeakReset,
    stateBytes,
    idleBytes: opened.idleBytes,
    backendPeakBytes,
    timesMs,
    checked: values,
  }
}
