import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { aligned } from '../table.js'
import { type MadeSets, writeSets } from './made-features.js'

/** A measure, and how many samples of each set it is of. */
export interface Asked {
  readonly name: string
  readonly count: number
}

/** What a process is asked. */
export interface Question {
  readonly engine: 'native' | 'wasm'
  readonly threads: number
  readonly width: number
  /** Of the real and of the generated features. */
  readonly files: readonly string[]
  readonly measures: readonly Asked[]
}

/** What it answers for each measure. */
export interface Answer extends Asked {
  readonly values: readonly number[]
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakBytes: number
  /** Peak less what was resident before, features included; null where the system does not say. */
  readonly addedBytes: number | null
  /** What ran: instruction set, versions. */
  readonly what: string
}

/** A line of the case `metrics`, for the record. */
export interface MetricsRow extends Answer, Omit<MadeSets, 'count'> {
  readonly program: string
  readonly threads: number
}

/** Sizes of the cases. The peers hold all distances at once, so that they take part only up to `peerCount` rows. */
export interface MetricsSize {
  readonly count: number
  readonly width: number
  readonly peerCount: number
}

export const METRICS_CASES: Readonly<Record<string, MetricsSize>> = {
  metrics: { count: 50_000, width: 2048, peerCount: 10_000 },
  'metrics-10k': { count: 10_000, width: 1024, peerCount: 5000 },
  'metrics-tiny': { count: 1200, width: 24, peerCount: 200 },
}

export interface MetricsOptions {
  readonly engines: readonly ('native' | 'wasm')[]
  readonly threads: number
  /** A Python interpreter that has numpy, scipy and prdc. */
  readonly python: string | null
  readonly size: MetricsSize
  readonly log: (line: string) => void
}

/** Largest relative difference of a value from that of another program: rounding, and a tie or two among the neighbours. */
const TOLERANCE = 1e-3

/**
 * Measures of two sets of features, each engine in a process of its own, one after the other, and in the same run those that the Python
 * programs have. Prints a table for each kind of features.
 *
 * @returns the rows, and where programs disagree
 */
export async function runMetrics(options: MetricsOptions): Promise<{ rows: MetricsRow[]; complaints: string[] }> {
  const { size, engines, threads, python, log } = options
  const { count, width, peerCount } = size
  const folder = mkdtempSync(join(tmpdir(), 'dit-bench-metrics-'))
  const files = ['real.f32', 'generated.f32'].map((name) => join(folder, name))
  const [rows, complaints]: [MetricsRow[], string[]] = [[], []]
  try {
    for (const kind of ['pooled', 'collapsed'] as const) {
      log(`metrics: making ${count} x ${width} ${kind} features`)
      writeSets({ count, width, kind }, files[0], files[1])
      const found: MetricsRow[] = []
      const add = async (program: string, command: readonly string[], measures: readonly Asked[]) => {
        const question: Question = { engine: program === 'wasm' ? 'wasm' : 'native', threads, width, files, measures }
        try {
          for await (const answer of ask(command, question)) {
            log(`metrics: ${kind}: ${program}: ${answer.name}`)
            found.push({ ...answer, kind, width, program, threads })
          }
        } catch (error) {
          // What others measured in the minutes before is kept.
          complaints.push(`${kind}: ${program}: ${error instanceof Error ? error.message : String(error)}`)
          console.log(complaints.at(-1))
        }
      }
      const whole = ['fid', 'prdc-5', 'kid', 'authenticity'].map((name) => ({ name, count }))
      const shared = ['prdc-3', 'prdc-5'].map((name) => ({ name, count: peerCount }))
      const own = kind === 'pooled' ? [...whole, ...shared] : [whole[0], ...shared]
      for (const engine of engines) await add(engine, [process.execPath, ...process.execArgv, WORKER], own)
      if (python !== null && kind === 'pooled') await add('python', [python, PEER], [whole[0], ...shared])
      log('')
      const differing = disagreements(found)
      complaints.push(...differing)
      if (found.length > 0)
        console.log(`${metricsTable(kind, found)}\n${differing.map((line) => `  ${line}\n`).join('')}`)
      rows.push(...found)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return { rows, complaints }
}

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))
const PEER = fileURLToPath(new URL('peer.py', import.meta.url))

async function* ask([file, ...args]: readonly string[], question: Question): AsyncGenerator<Answer> {
  const child = spawn(file, [...args, JSON.stringify(question)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as Answer
  const code = await ended
  if (code !== 0) throw new Error(`bench: ${file} of the case metrics ended with ${code}`)
}

/** Values of one measure that differ from those of the first program. */
export function disagreements(rows: readonly MetricsRow[]): string[] {
  return rows.flatMap((row) => {
    const first = rows.find(({ name, count }) => name === row.name && count === row.count)!
    return row.values.every((value, i) => Math.abs(value - first.values[i]) <= TOLERANCE * Math.abs(first.values[i]))
      ? []
      : [
          `${row.name} of ${row.count}: ${row.program} has ${row.values.join(', ')}, ${first.program} ${first.values.join(', ')}`,
        ]
  })
}

/** Rows as lines of text; a ratio is the time of Python over that of the row. */
export function metricsTable(kind: string, rows: readonly MetricsRow[]): string {
  const head = ['measure', 'rows', 'program', 'seconds', 'CPU s', 'peak MiB', 'added', 'python / it', 'values']
  const lines = rows.map((row) => {
    const peer = rows.find(
      (other) => other.program === 'python' && other.name === row.name && other.count === row.count,
    )
    return [
      row.name,
      String(row.count),
      `${row.program} (${row.what})`,
      row.seconds.toFixed(2),
      row.cpuSeconds.toFixed(2),
      (row.peakBytes / 2 ** 20).toFixed(0),
      row.addedBytes === null ? '-' : (row.addedBytes / 2 ** 20).toFixed(0),
      peer === undefined ? '-' : `${(peer.cpuSeconds / row.cpuSeconds).toFixed(2)} of CPU`,
      row.values.map((value) => value.toPrecision(5)).join(' '),
    ]
  })
  return `metrics, ${kind} features of ${rows[0].width} numbers, ${rows[0].threads} threads\n${aligned([head, ...lines])}`
}
