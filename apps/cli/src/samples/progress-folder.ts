import { lstat, readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { RunLockedError } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { writeWholeFile } from '@dit/checkpoint/node'
import { nameFile } from '../run/named-errors.js'
import { Failure, UsageError } from '../terminal/errors.js'

/** What is known of sampling that was begun. */
export interface JobRecord {
  readonly format: typeof FORMAT
  /** All that its pictures depend on. */
  readonly settings: Readonly<Record<string, unknown>>
  /** The number in the name of each output with a path of its own. */
  readonly numbers: Readonly<Record<string, number>>
  /** Pictures in all, and at a time. */
  readonly pictures: number
  readonly batchSize: number
  /** Batches that are done, from the first. */
  readonly done: number
  /** Files that are written to until all is done. */
  readonly drafts: readonly string[]
  /** Steps of a batch, where its states are written. */
  readonly trajectorySteps?: number
}

export const FORMAT = 'dit-samples-1'

/** Pictures that are done. */
export function pictureCount({ done, batchSize, pictures }: JobRecord): number {
  return Math.min(done * batchSize, pictures)
}

const JOB = 'job.json'
/** RGB of the pictures of the grid. */
const GRID = 'grid'

/** All that lies in such a folder, and what is left of it by a kill. */
const OWN = /^(?:grid|(?:job|lock)\.json(?:\..+)?)$/

/** Where progress with an output is kept until it is finished. */
export function progressPath(anchor: string): string {
  return `${anchor}.progress`
}

/**
 * Sampling that was begun and not finished; null where none was.
 *
 * @throws UsageError where something else is in its place
 */
export async function findProgress(anchor: string): Promise<JobRecord | null> {
  const folder = progressPath(anchor)
  const found = await lstat(folder).catch(() => null)
  if (found === null) return null
  const refuse = (problem: string) =>
    new UsageError(
      `${folder} ${problem}, but dit keeps the progress of sampling there; move it away, or give another --out`,
    )
  if (!found.isDirectory()) throw refuse('is not a folder')
  const stray = (await readdir(folder)).find((name) => !OWN.test(name))
  if (stray !== undefined) throw refuse(`holds other files (${stray})`)
  const text = await readFile(join(folder, JOB), 'utf8').catch(() => null)
  if (text === null) return null
  const record = parsed(text)
  if (record === null) throw refuse(`has a ${JOB} that cannot be read`)
  return record
}

function parsed(text: string): JobRecord | null {
  try {
    const record = JSON.parse(text) as Partial<JobRecord> | null
    const isOurs =
      record?.format === FORMAT &&
      isObject(record.settings) &&
      isObject(record.numbers) &&
      [record.done, record.pictures, record.batchSize].every(Number.isSafeInteger) &&
      Array.isArray(record.drafts) &&
      record.drafts.every((path) => typeof path === 'string')
    return isOurs ? (record as JobRecord) : null
  } catch {
    return null
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** Removes what a record says was begun: unfinished files, whatever else it may name. */
export async function discardBegun({ drafts }: JobRecord): Promise<void> {
  for (const path of drafts) {
    const found = path.endsWith('.unfinished') ? await lstat(path).catch(() => null) : null
    if (found?.isFile() === true) await rm(path, { force: true })
  }
}

/** A folder that keeps the progress of sampling, ours alone until it is closed. */
export interface ProgressFolder {
  readonly gridPath: string
  /** How far it is; null before that is kept. */
  read(): Promise<JobRecord | null>
  /** Keeps how far it is. */
  save(record: JobRecord): Promise<void>
  /** Removes the folder. */
  remove(): Promise<void>
  /** Leaves it to whoever continues. */
  close(): Promise<void>
}

/**
 * Makes this process the only one that samples into an output.
 *
 * @throws Failure while another one does
 */
export async function openProgress(anchor: string): Promise<ProgressFolder> {
  const folder = progressPath(anchor)
  const unlock = await folderRunStore(folder)
    .lock()
    .catch((cause: unknown) => {
      if (cause instanceof RunLockedError) throw new Failure(cause.message, { cause })
      throw nameFile(cause, folder)
    })
  const path = join(folder, JOB)
  return {
    gridPath: join(folder, GRID),
    read: () => findProgress(anchor),
    async save(record) {
      const bytes = new TextEncoder().encode(`${JSON.stringify(record)}\n`)
      try {
        await writeWholeFile(path, true, (append) => append(bytes))
      } catch (error) {
        throw nameFile(error, path)
      }
    },
    async remove() {
      await unlock()
      // The record goes first: without it nothing is there to continue.
      await rm(path, { force: true })
      for (const name of await readdir(folder)) if (OWN.test(name)) await rm(join(folder, name), { force: true })
      await rmdir(folder).catch(() => {})
    },
    close: unlock,
  }
}
