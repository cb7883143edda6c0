import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a work folder holds: which stages are done, with what they found. */
export interface Progress {
  /** All that decides the results. A work folder is continued only under equal ones. */
  readonly settings: unknown
  /** What each finished stage left to say, by its name. */
  readonly done: Readonly<Record<string, unknown>>
  /** Time that training has taken, over all calls. */
  readonly trainingSeconds: number
}

const FILE = 'progress.json'

/**
 * The progress of a work folder, which is made where it is not there.
 *
 * @throws Error where it was begun with other settings
 */
export async function openProgress(folder: string, settings: unknown): Promise<Progress> {
  await mkdir(folder, { recursive: true })
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => null)
  if (text === null) return { settings, done: {}, trainingSeconds: 0 }
  const progress = JSON.parse(text) as Progress
  const [was, is] = [progress.settings, settings].map((one) => JSON.stringify(one, null, 1).split('\n'))
  const other = was.findIndex((line, i) => line !== is[i])
  if (other !== -1 || was.length !== is.length) {
    throw new Error(
      `${folder} was begun with other settings (${was[other]?.trim()} in place of ${is[other]?.trim()}); give another work folder`,
    )
  }
  return progress
}

/** Keeps the progress of a work folder. */
export async function keepProgress(folder: string, progress: Progress): Promise<void> {
  const path = join(folder, FILE)
  await writeFile(`${path}.partial`, `${JSON.stringify(progress, null, 2)}\n`)
  await rename(`${path}.partial`, path)
}
