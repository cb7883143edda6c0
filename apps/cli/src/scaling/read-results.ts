import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { readLog } from '../run/read-log.js'
import { CONFIG_FILE } from '../run/run-config.js'
import { howToGetRun, readRunConfig } from '../run/run-folder.js'
import { UsageError } from '../terminal/errors.js'
import { type ResultRow, rowOfRun } from './row.js'
import { GRID_FILE, noteOf, type RunNote, RUNS_FOLDER } from './grid-places.js'
import { parseTable } from './table-text.js'

/**
 * Rows of what was named: tables in CSV or JSON, folders of runs, folders that hold runs, and folders of `dit scaling run`.
 *
 * @throws UsageError where something is neither, or given twice
 */
export async function readResults(paths: readonly string[]): Promise<ResultRow[]> {
  const places = paths.map((path) => resolve(path))
  const twice = paths.find((_, i) => places.indexOf(places[i]) !== i)
  if (twice !== undefined) throw new UsageError(`${twice} is given twice`)
  const rows: ResultRow[] = []
  for (const path of paths) rows.push(...(await rowsAt(path)))
  return rows
}

async function rowsAt(path: string): Promise<ResultRow[]> {
  const found = await stat(path).catch(() => null)
  if (found === null)
    throw new UsageError(
      `${path}: there is no such file or folder; give tables, runs, or the folder of \`dit scaling run\``,
    )
  if (found.isFile()) return parseTable(path, await readFile(path, 'utf8'))
  const folders = await runFolders(path)
  if (folders.length === 0) throw new UsageError(`${path} holds no runs. ${await howToGetRun()}`)
  const rows: ResultRow[] = []
  for (const folder of folders) rows.push(await readRow(folder, basename(resolve(folder))))
  return rows
}

/** A folder that is a run, or those in it, or in its `runs`. */
async function runFolders(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  if (names.includes(CONFIG_FILE)) return [folder]
  const inside = names.includes(GRID_FILE) ? join(folder, RUNS_FOLDER) : folder
  const entries = await readdir(inside, { withFileTypes: true }).catch(() => [])
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(inside, name))
  const runs = await Promise.all(
    folders
      .toSorted()
      .map(async (each) => ((await stat(join(each, CONFIG_FILE)).catch(() => null)) === null ? [] : [each])),
  )
  return runs.flat()
}

/** A run as a row; of one that has no log yet, an unfinished one. */
export async function readRow(folder: string, name: string): Promise<ResultRow> {
  const config = await readRunConfig(folder)
  const records = (await readLog(folder)) ?? []
  const { flags: _flags, diverged: isDiverged, ...extras } = await readNote(folder)
  return rowOfRun(name, config, records, { ...extras, isDiverged })
}

/** What `dit scaling run` has noted beside a run; nothing for other runs. */
export async function readNote(folder: string): Promise<Partial<RunNote>> {
  const text = await readFile(noteOf(folder), 'utf8').catch(() => null)
  if (text === null) return {}
  try {
    const note = JSON.parse(text) as Partial<RunNote> | null
    // A file of the user's may have this name, too.
    return typeof note?.budget === 'number' && typeof note.flags === 'object' ? note : {}
  } catch (cause) {
    throw new UsageError(`${noteOf(folder)} is not valid JSON: ${(cause as Error).message}`, { cause })
  }
}
