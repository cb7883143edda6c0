import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Dataset, shapesDataset } from '@dit/data'
import { type FolderScan, type ImageFolder, ImageFolderError, openImageFolder, scanFolder } from '@dit/data/node'
import { UsageError } from '../terminal/errors.js'
import { foundText, leftOutText, swallowedText, transparencyText, wrongFolderText } from './folder-words.js'
import { openLatents } from './open-latents.js'
import type { Output } from '../terminal/output.js'
import { formatCount } from '../terminal/format.js'
import { printableName } from '../terminal/printable.js'
import { type Progress, showProgress } from '../terminal/progress.js'
import type { DataConfig } from './run-config.js'

/** Training pictures, ready to be read. Whoever opened them closes them. */
export interface OpenData {
  /** Null where the module of the objective makes the batches. */
  readonly dataset: Dataset | null
  readonly config: DataConfig
  close(): Promise<void>
}

/** The same where it is pictures or latents. */
export interface OpenPictures extends OpenData {
  readonly dataset: Dataset
}

/** Examples of the generated dataset: they are drawn when read, so that many cost nothing. */
export const SHAPES_LENGTH = 60_000

export interface DataRequest {
  /** `shapes`, or the path of a folder. */
  readonly data: string
  readonly size: number
  readonly skipBad: boolean
  /** What transparent pictures are put on; null drops alpha, and absent reads the folder as runs did before there was a choice. */
  readonly background?: string | null
  /** Pixels of the largest picture that is read, where a limit is given. */
  readonly maxPixels?: number
  /** Of how many pictures a digest of the contents is made; of none where it is absent. */
  readonly checkFiles?: number | 'all'
  /** Classes of the run that is resumed. */
  readonly classes?: readonly string[]
}

/** Latents that `dit encode` has written. */
export interface LatentsRequest {
  readonly latents: string
  readonly flip: boolean
}

/** The module of the objective makes the batches. */
export interface ModuleRequest {
  readonly module: true
}

/** What a run asks for, from the folder that it began with or another one. */
export function requestOf(
  { data, flip, classes }: { readonly data: DataConfig; readonly flip: boolean; readonly classes: readonly string[] },
  flags: { readonly data?: string; readonly latents?: string; readonly maxPixels?: number } = {},
): DataRequest | LatentsRequest | ModuleRequest {
  if (data.kind === 'module') return { module: true }
  if (flags.latents !== undefined) return { latents: flags.latents, flip }
  if (data.kind === 'latents' && flags.data === undefined) return { latents: data.folder, flip }
  const path = flags.data ?? (data.kind === 'shapes' ? 'shapes' : data.folder)
  if (data.kind !== 'folder') return { data: path, size: data.size, skipBad: false, background: '#ffffff', classes }
  const { size, skipBad, background, maxPixels, contents } = data
  const checks = contents === undefined ? {} : { checkFiles: contents.files }
  return { data: path, size, skipBad, background, maxPixels: flags.maxPixels ?? maxPixels, ...checks, classes }
}

/**
 * Opens the generated shapes, a folder of pictures, or latents.
 *
 * @throws UsageError when the folder cannot serve
 */
export async function openData(request: DataRequest | LatentsRequest, output: Output): Promise<OpenPictures>
export async function openData(request: DataRequest | LatentsRequest | ModuleRequest, output: Output): Promise<OpenData>
export async function openData(
  request: DataRequest | LatentsRequest | ModuleRequest,
  output: Output,
): Promise<OpenData> {
  if ('module' in request) return { dataset: null, config: { kind: 'module' }, close: async () => {} }
  if ('latents' in request) return openLatents(request.latents, request.flip)
  const { data, size } = request
  if (data === 'shapes') {
    if (size < 4) throw new UsageError(`--size must be at least 4 for shapes (got ${size})`)
    const dataset = shapesDataset({ size, length: SHAPES_LENGTH, seed: 0 })
    return { dataset, config: { kind: 'shapes', size, length: SHAPES_LENGTH, seed: 0 }, close: async () => {} }
  }
  await checkFolder(data)
  const folder = await openFolder(request, output)
  if (folder.skipped.length > 0) {
    const names = folder.skipped.map(({ path, reason }) => `\n  ${printableName(path)}: ${inFlags(reason)}`).join('')
    output.notice(`left out ${folder.skipped.length} unreadable pictures:${names}`)
  }
  const { skipBad, background, maxPixels, checkFiles } = request
  const ground = background ?? null
  const transparency = transparencyText(folder, ground, background === undefined)
  if (transparency !== null) output.line(transparency)
  const swallowed = swallowedText(folder, ground)
  if (swallowed !== null) output.notice(swallowed)
  const files = await fingerprint(data, folder.files)
  const same = { kind: 'folder', folder: resolve(data), size, length: folder.length, skipBad, files } as const
  const contents = checkFiles === undefined ? {} : { contents: await digest(data, folder.files, checkFiles, output) }
  return {
    dataset: folder,
    config: {
      ...same,
      ...contents,
      ...(background === undefined ? {} : { background }),
      ...(maxPixels === undefined ? {} : { maxPixels }),
    },
    close: () => folder.close(),
  }
}

async function checkFolder(data: string): Promise<void> {
  const found = await stat(data).catch(() => null)
  if (found === null)
    throw new UsageError(
      `--data ${data}: no such folder; give \`shapes\`, or a folder with one sub-folder of pictures per class`,
    )
  if (!found.isDirectory())
    throw new UsageError(`--data ${data}: this is a file; give a folder with one sub-folder of pictures per class`)
}

/**
 * Classes and pictures of a folder, none of which is read.
 *
 * @throws UsageError when the folder cannot serve
 */
export async function countPictures(
  data: string,
  output: Pick<Output, 'line'>,
): Promise<{ classes: number; pictures: number }> {
  await checkFolder(data)
  const { classes, files } = await scanFolder(data, { onScan: searchLines(data, output) }).catch(asUsageError)
  return { classes: classes.length, pictures: files.length }
}

/** @throws UsageError in place of what is wrong with a folder */
function asUsageError(error: unknown): never {
  if (!(error instanceof ImageFolderError)) throw error
  const text = inFlags(
    error.message.replace('openImageFolder: ', `--data: `).replace('with skipBad', 'with --skip-bad'),
  )
  throw new UsageError(text, { cause: error })
}

/** Pixels of the largest picture that was read before there was a choice. */
const FIRST_MAX_PIXELS = 16_383 ** 2
/** Milliseconds between lines while a folder is searched. */
const SEARCH_INTERVAL = 5000

/** Says from time to time how many pictures were found. */
function searchLines(data: string, output: Pick<Output, 'line'>): (numFound: number) => void {
  let said = performance.now()
  return (numFound) => {
    if (performance.now() - said < SEARCH_INTERVAL) return
    said = performance.now()
    output.line(`searching ${data}: ${formatCount(numFound)} pictures so far`)
  }
}

async function openFolder(request: DataRequest, output: Output): Promise<ImageFolder> {
  const { data, size, skipBad, background, classes } = request
  let progress: Progress | null = null
  const onProgress = ({ done, total }: { done: number; total: number }) => {
    progress ??= showProgress(output, { total, unit: 'pictures', isPlainShown: 'when slow' })
    progress.update(done, 'checking')
  }
  const onScan = searchLines(data, output)
  const onScanned = (scan: FolderScan) => {
    output.line(foundText(scan))
    const leftOut = leftOutText(scan.leftOut)
    if (leftOut !== null) output.line(leftOut)
    const wrongFolder = classes === undefined ? wrongFolderText(data, scan) : null
    if (wrongFolder !== null) output.notice(wrongFolder)
  }
  const isOld = background === undefined
  const maxPixels = request.maxPixels ?? (isOld ? FIRST_MAX_PIXELS : undefined)
  const rules = isOld ? 1 : 2
  const reading = { size, skipBad, classes, background: background ?? null, maxPixels, rules } as const
  try {
    return await openImageFolder(data, { ...reading, onScan, onScanned, onProgress })
  } catch (error) {
    return asUsageError(error)
  } finally {
    ;(progress as Progress | null)?.stop()
  }
}

/** A reason with the option by its name here. */
function inFlags(text: string): string {
  return text.replaceAll('raise maxPixels', 'raise --max-pixels')
}

/** SHA-256 over the names and sizes of the files: the same in a copy of the folder. */
async function fingerprint(folder: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file}\n${(await stat(join(folder, file))).size}\n`)
  return hash.digest('hex')
}

/** SHA-256 over the contents of so many files, spread over all: a picture that was changed keeps its name, and may keep its size. */
async function digest(folder: string, files: readonly string[], asked: number | 'all', output: Output) {
  const total = asked === 'all' ? files.length : Math.min(asked, files.length)
  const progress = showProgress(output, { total, unit: 'files', isPlainShown: 'when slow' })
  const hash = createHash('sha256')
  try {
    for (let i = 0; i < total; i++) {
      const bytes = await readFile(join(folder, files[Math.floor((i * files.length) / total)]))
      hash.update(`${bytes.length}\n`).update(bytes)
      progress.update(i + 1, 'reading')
    }
  } finally {
    progress.stop()
  }
  return { files: asked, sha256: hash.digest('hex') }
}

/**
 * Says how the data of a resumed run differ from those it began with; the folder may have moved.
 *
 * @returns null where they are the same
 */
export function dataDifference(before: DataConfig, now: DataConfig): string | null {
  const identity = (data: DataConfig) => JSON.stringify({ ...data, folder: null, maxPixels: undefined })
  if (identity(before) === identity(now)) return null
  if (before.kind !== now.kind) return 'the run began with other data'
  if (before.kind === 'module' || now.kind === 'module') return null
  if (before.length !== now.length)
    return `the run began with ${before.length} pictures, but there are ${now.length} now`
  if (before.kind === 'folder' && now.kind === 'folder' && before.files === now.files) {
    if (before.contents?.sha256 !== now.contents?.sha256) return 'pictures were changed since the run began'
  }
  return 'the files are not those the run began with'
}
