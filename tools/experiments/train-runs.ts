import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Measured } from './predictions-table.js'

const DIT = 'apps/cli/dist/main.js'

/** The measurements in a run's log. */
export function measured(folder: string): { readonly step: number; readonly measures: Measured['measures'] }[] {
  const path = join(folder, 'log.jsonl')
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  return lines
    .map((line) => JSON.parse(line) as { step: number; measures?: Measured['measures'] })
    .flatMap(({ step, measures }) => (measures === undefined ? [] : [{ step, measures }]))
}

/** Trains a run on one thread, or what is left of it. Ends this program where training fails. */
export function trainRun(folder: string, flags: readonly string[], seed: number): void {
  const args = existsSync(join(folder, 'config.json'))
    ? ['train', '--resume', folder]
    : ['train', ...flags, '--seed', String(seed), '--out', folder]
  const { status } = spawnSync(process.execPath, [DIT, ...args, '--threads', '1'], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
