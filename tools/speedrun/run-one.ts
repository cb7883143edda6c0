import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runDit } from '../pretrained/run-dit.js'
import { type Judge, JUDGE } from './judge.js'
import type { Result } from './results.js'
import { type Row, trainingOf } from './rows.js'
import type { SpeedrunSet } from './sets.js'

/** Budgets up to this many minutes are judged by fewer samples. */
const SCREENING_MINUTES = 5
/** Steps between checkpoints, from which a stopped training goes on. */
const CHECKPOINT_EVERY = 1000

/** What is trained and judged. */
export interface Task {
  readonly row: Row
  readonly set: SpeedrunSet
  readonly minutes: number
  readonly seed: number
  readonly steps: number
}

/** Arguments of `dit` that train a row. */
export function trainFlags(
  row: Row,
  { data, size }: SpeedrunSet,
  { steps, seed, folder }: { readonly steps: number; readonly seed: number; readonly folder: string },
): string[] {
  const given = ['--data', data, '--size', size, '--steps', steps, '--seed', seed, '--out', folder].map(String)
  const keeping = ['--checkpoint-every', String(CHECKPOINT_EVERY), '--keep-last', '1', '--sample-every', 'none']
  return ['train', ...given, ...row.flags.split(' '), '--no-flip', '--no-report', ...keeping]
}

/**
 * Trains, draws and judges.
 *
 * @param minutesLeft after which training is stopped, to be continued by the same call
 * @returns null where it was stopped
 */
export async function runOne(
  { row, set, minutes, seed, steps }: Task,
  { work, judge, minutesLeft }: { readonly work: string; readonly judge: Judge; readonly minutesLeft: number },
): Promise<Result | null> {
  const trained = trainingOf(row)
  const place = join(work, 'runs')
  await mkdir(place, { recursive: true })
  const run = join(place, `${set.name}-${trained.name}-${minutes}min-${seed}`)
  const isBegun = existsSync(join(run, 'config.json'))
  const args = isBegun ? ['train', '--resume', run] : trainFlags(trained, set, { steps, seed, folder: run })
  if (!(await runDit(args, { minutes: minutesLeft }))) return null
  const { screening, final } = JUDGE.samplesPerClass
  const verdict = await judge.judge(run, `${run}-${row.name}-judged`, {
    perClass: minutes <= SCREENING_MINUTES ? screening : final,
    ...(row.sampling === undefined ? {} : { sampling: row.sampling }),
  })
  return { row: row.name, set: set.name, minutes, seed, steps, ...verdict }
}
