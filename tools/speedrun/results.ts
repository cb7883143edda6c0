import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { repositoryRoot } from '../release/workspace.js'
import type { Verdict } from './judge.js'
import type { SetName } from './sets.js'

/** Steps a second of each row where nothing else runs, on the machine whose minutes the budgets are. */
export interface Calibration {
  readonly machine: string
  readonly date: string
  /** By set and row. */
  readonly stepsPerSecond: Readonly<Partial<Record<SetName, Readonly<Record<string, number>>>>>
}

/** One training of a row, judged. */
export interface Result extends Verdict {
  readonly row: string
  readonly set: SetName
  /** Budget: minutes of the machine of the calibration. */
  readonly minutes: number
  readonly seed: number
  readonly steps: number
}

/** What is kept of all speedruns. */
export interface Results {
  readonly calibration: Calibration | null
  readonly results: readonly Result[]
}

/** Kept in commits. */
export const RESULTS_FILE = join(repositoryRoot, 'bench', 'results', 'speedrun.json')

/** Reads what is kept; nothing where there is no file yet. */
export async function readResults(path = RESULTS_FILE): Promise<Results> {
  const text = await readFile(path, 'utf8').catch(() => null)
  return text === null ? { calibration: null, results: [] } : (JSON.parse(text) as Results)
}

/** Keeps it, whole or not at all. */
export async function keepResults(results: Results, path = RESULTS_FILE): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.partial`, `${JSON.stringify(results, null, 1)}\n`)
  await rename(`${path}.partial`, path)
}

/** Whether two results are of the same training. */
export function isSame(
  a: Pick<Result, 'row' | 'set' | 'minutes' | 'seed'>,
  b: Pick<Result, 'row' | 'set' | 'minutes' | 'seed'>,
): boolean {
  return a.row === b.row && a.set === b.set && a.minutes === b.minutes && a.seed === b.seed
}
