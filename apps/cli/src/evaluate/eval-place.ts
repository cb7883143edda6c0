import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RunLockedError } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { nameFile } from '../run/named-errors.js'
import { checkWritable } from '../run/run-folder.js'
import { writeWhole } from '../run/write-whole.js'
import { MOST_NUMBERS, withNumber } from '../samples/outputs.js'
import { flagOf } from '../settings/flag-of.js'
import { Failure, UsageError } from '../terminal/errors.js'

/** Files of an evaluation. */
export const EVALUATION_FILES = {
  json: 'evaluation.json',
  page: 'report.html',
  rows: 'rows.safetensors',
  comparison: 'comparison.json',
  /** There while an evaluation is not finished: every setting that it depends on. */
  job: 'job.json',
} as const

const FORMAT = 'dit-evaluation-job-1'

/** All that the results depend on, by names that a user knows. */
export type EvalSettings = Readonly<Record<string, unknown>>

/** A folder for an evaluation. */
export interface EvalPlace {
  readonly folder: string
  readonly cache: string
  /** What was begun there and not finished; null where nothing was. */
  readonly begun: EvalSettings | null
}

/**
 * Where an evaluation goes: the folder that was asked for, with a number where one is there already, or what a stopped one has begun.
 *
 * @throws UsageError for a folder that cannot be written, or holds something else
 */
export async function evalPlace(
  asked: string,
  {
    force = false,
    cache = join(dirname(asked), 'evaluation-cache'),
  }: { readonly force?: boolean; readonly cache?: string },
): Promise<EvalPlace> {
  for (let number = 1; number <= MOST_NUMBERS; number++) {
    const folder = withNumber(asked, number)
    const names = await namesIn(folder)
    const begun = names.includes(EVALUATION_FILES.job) ? await readJob(folder) : null
    const isOurs = names.every((name) => OWN.test(name))
    if (force && !isOurs)
      throw new UsageError(`--out ${folder} holds other files (${names.find((name) => !OWN.test(name))})`)
    if (begun === null && names.some((name) => !/^lock\.json/.test(name)) && !force) continue
    await checkWritable('--out', folder)
    return { folder, cache, begun: force ? null : begun }
  }
  throw new UsageError(`--out ${asked}: too many folders of this name exist; give another name`)
}

/** All that lies in the folder of an evaluation, and what a kill leaves of it. */
const OWN =
  /^(?:evaluation\.json|comparison\.json|report\.html|comparison\.html|rows\.safetensors|job\.json|lock\.json)(?:\..+)?$/

async function namesIn(folder: string): Promise<string[]> {
  const found = await stat(folder).catch(() => null)
  if (found !== null && !found.isDirectory()) throw new UsageError(`--out ${folder}: this is a file; give a folder`)
  return found === null ? [] : readdir(folder)
}

async function readJob(folder: string): Promise<EvalSettings | null> {
  try {
    const job = JSON.parse(await readFile(join(folder, EVALUATION_FILES.job), 'utf8')) as Record<string, unknown>
    return job.format === FORMAT ? (job.settings as EvalSettings) : null
  } catch {
    return null
  }
}

/** A folder that is ours alone until it is closed. */
export interface OpenPlace {
  finish(): Promise<void>
  close(): Promise<void>
}

/**
 * Begins or goes on with an evaluation.
 *
 * @throws UsageError that names every setting that differs from what was begun; Failure while another process is at it
 */
export async function openPlace({ folder, begun }: EvalPlace, settings: EvalSettings): Promise<OpenPlace> {
  if (begun !== null) checkSameSettings(folder, begun, settings)
  const unlock = await folderRunStore(folder)
    .lock()
    .catch((cause: unknown) => {
      if (cause instanceof RunLockedError) throw new Failure(cause.message, { cause })
      throw nameFile(cause, folder)
    })
  const job = join(folder, EVALUATION_FILES.job)
  await writeWhole(job, `${JSON.stringify({ format: FORMAT, settings })}\n`)
  return {
    async finish() {
      await rm(job, { force: true })
      await unlock()
    },
    close: unlock,
  }
}

/** @throws UsageError that names every setting that differs */
export function checkSameSettings(folder: string, before: EvalSettings, now: EvalSettings): void {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])]
  const differences = names.flatMap((name) => {
    const [was, is] = [before[name] ?? null, now[name] ?? null]
    if (JSON.stringify(was) === JSON.stringify(is)) return []
    if (name.startsWith('the ')) return [`${name} are others`]
    return [`${flagOf(name)} was ${shown(was)}, and is ${shown(is)}`]
  })
  if (differences.length === 0) return
  throw new UsageError(
    `${folder} was begun with other settings: ${differences.join('; ')}. Continue with the same settings, begin anew with --out ${folder} --force, or give another --out`,
  )
}

function shown(value: unknown): string {
  if (value === null) return 'not given'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
