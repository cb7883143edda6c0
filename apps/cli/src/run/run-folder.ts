import { mkdtemp, readdir, readFile, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { LOG } from '@dit/train-ddp'
import { TRAIN_DEFAULTS, type TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'
import { checkRunConfig } from './check-run-config.js'
import { CONFIG_FILE, LOCK_FILE, READ_FORMATS, RUN_FORMAT, type RunConfig } from './run-config.js'
import { upgradedConfig } from './version-1.js'

/**
 * `config.json` of a run.
 *
 * @throws UsageError when the folder is not a run, with advice
 */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const path = join(folder, CONFIG_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const found = await stat(folder).catch(() => null)
    if (found?.isFile() === true) {
      const parent = basename(folder) === CONFIG_FILE ? `; give its folder, ${dirname(folder)}` : ''
      throw new UsageError(`${folder} is a file, but a run is a folder${parent}`, { cause })
    }
    const problem = found === null ? 'no such folder' : `it has no ${CONFIG_FILE}`
    throw new UsageError(`${folder} is not a run: ${problem}. ${await howToGetRun()}`, { cause })
  }
  let config: Record<string, unknown> | null
  try {
    config = JSON.parse(text.replace(/^\uFEFF/, '')) as Record<string, unknown> | null
  } catch (cause) {
    throw new UsageError(`${path} is not valid JSON: ${(cause as Error).message}`, { cause })
  }
  if (config === null || !READ_FORMATS.includes(config.format)) {
    throw new UsageError(
      `${path} is not that of a dit run: its format must be "${RUN_FORMAT}" (got ${JSON.stringify(config?.format)})`,
    )
  }
  try {
    const current = upgradedConfig(config)
    checkRunConfig(current)
    return current
  } catch (cause) {
    throw new UsageError(`${path}: ${(cause as Error).message}`, { cause })
  }
}

/** The folder of the run that flags name, begun or not. */
export function runFolder(flags: Pick<TrainFlags, 'resume' | 'out' | 'data' | 'latents'>): string {
  const { resume, out, latents, data = latents } = flags
  if (typeof resume === 'string') {
    if (out !== undefined && resolve(out) !== resolve(resume)) {
      throw new UsageError(
        `--resume ${resume} and --out ${out} name different folders; a run is resumed in its own folder, so leave --out out`,
      )
    }
    return resume
  }
  return out ?? join('runs', basename(resolve(data ?? TRAIN_DEFAULTS.data)))
}

/**
 * Checks that a folder is empty or not there, so that a new run overwrites nothing.
 *
 * @throws UsageError that says what is in the way
 */
export async function checkUnused(flag: string, folder: string): Promise<void> {
  // A lock that was left behind holds nothing; one in use is the trainer's to find.
  const names = (await readdir(folder).catch(() => [])).filter(
    (name) => name !== LOCK_FILE && !name.startsWith(`${LOCK_FILE}.`),
  )
  if (names.length === 0) return
  if (names.some((name) => name === CONFIG_FILE || name === LOG || name === 'checkpoints')) {
    throw new UsageError(
      `${flag} ${folder} already holds a run; continue it with \`--resume\`, or give another folder with \`${flag}\``,
    )
  }
  throw new UsageError(
    `${flag} ${folder} holds other files (${names[0]}${names.length > 1 ? ', …' : ''}); give an empty or new folder for the run`,
  )
}

/**
 * Checks that a folder can be made or written, by making an empty one where it would be, which is removed at once.
 *
 * @throws UsageError where it cannot
 */
export async function checkWritable(flag: string, folder: string): Promise<void> {
  const place = await nearestExisting(resolve(folder))
  if (!(await stat(place)).isDirectory()) throw new UsageError(`${flag} ${folder}: ${place} is a file, not a folder`)
  try {
    await rmdir(await mkdtemp(join(place, '.dit-')))
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    throw new UsageError(`${flag} ${folder}: cannot write to ${place} (${code})`, { cause })
  }
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await stat(path)
    return path
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    return nearestExisting(dirname(path))
  }
}

/** Runs that advice lists. */
const LISTED = 5

/** Advice for whoever has no run yet. */
export async function howToGetRun(): Promise<string> {
  return `Train a small model with \`dit demo\`, or your own with \`dit train\`.${await runsHere()}`
}

/** ` Runs here: runs/a, runs/b.`, or nothing. */
export async function runsHere(): Promise<string> {
  const runs = await findRuns('runs')
  const more = runs.length > LISTED ? ` and ${runs.length - LISTED} more` : ''
  return runs.length === 0 ? '' : ` Runs here: ${runs.slice(0, LISTED).join(', ')}${more}.`
}

async function findRuns(folder: string, depth = 2): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  if (entries.some((entry) => entry.name === CONFIG_FILE)) return [folder]
  if (depth === 0) return []
  const inside = entries
    .filter((entry) => entry.isDirectory())
    .map(async (entry) => findRuns(join(folder, entry.name), depth - 1))
  return (await Promise.all(inside)).flat()
}
