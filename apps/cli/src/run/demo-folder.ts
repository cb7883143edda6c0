import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunConfig } from './run-config.js'
import { readRunConfig } from './run-folder.js'

/** Written last: a demo with it is complete. */
export const SCORE_FILE = 'score.json'

/** Where a demo goes, and whether it continues one that was stopped there. */
export interface DemoFolder {
  readonly folder: string
  readonly isResume: boolean
}

/**
 * The newest numbered folder of `parent` if its demo was stopped before its end and fits, else the next number.
 *
 * @param fits whether the demo that is asked for is the one that was begun
 */
export async function demoFolder(parent: string, fits: (config: RunConfig) => boolean): Promise<DemoFolder> {
  const names = await readdir(parent).catch(() => [])
  const newest = Math.max(0, ...names.filter((name) => /^\d+$/.test(name)).map(Number))
  const last = join(parent, String(newest))
  if (newest > 0 && !(await exists(join(last, SCORE_FILE)))) {
    const config = await readRunConfig(last).catch(() => null)
    if (config !== null && fits(config)) return { folder: last, isResume: true }
  }
  return { folder: join(parent, String(newest + 1)), isResume: false }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}
