import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Dataset } from '@dit/data'
import { type FolderScan, type ImageFolder, namesTarShards, openImageFolder, scanFolder } from '@dit/data/node'
import { UsageError } from '../terminal/errors.js'
import { namesDatasetModule, openDatasetModule } from './dataset-module.js'
import { toldDataset, type WantedConditions } from './conditions.js'
import { checkingProgress, inFlags, reasonInFlags, searchLines } from './data-progress.js'
import { foundText, leftOutText, swallowedText, transparencyText, wrongFolderText } from './folder-words.js'
import { GENERATED_CLASSES, GENERATED_LENGTH, isGenerated, isGeneratedName, openGenerated } from './generated-data.js'
import { openLatents } from './open-latents.js'
import { countShards, openShards } from './open-shards.js'
import { contentsDigest, fingerprint, folderFiles, shardFiles } from './picture-files.js'
import { denoisingOrNull, type ObjectiveConfig } from './objective-config.js'
import type { Output } from '../terminal/output.js'
import { printableName } from '../terminal/printable.js'
import { type DataConfig, isPictureData } from './run-config.js'

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

export interface DataRequest {
  /** `shapes`, `sprites`, the path of a folder, tar shards, or a module that exports a data set. */
  readonly data: string
  readonly size: number
  readonly skipBad: boolean
  /** What transparent pictures are put on; null drops alpha, and absent reads the folder as runs did before there was a choice. */
  readonly background?: string | null
  /** Pixels of the largest picture that is read, where a limit is given. */
  readonly maxPixels?: number
  /** Of how many pictures a digest of the contents is made; of none where it is absent. */
  readonly checkFiles?: number | 'all'
  /** A file of class names by number, for tar shards. */
  readonly classNames?: string
  /** Classes of the run that is resumed. */
  readonly classes?: readonly string[]
  /** What the network is told in place of the class. */
  readonly conditions?: WantedConditions
  /** Stops the check of the pictures, which reads all of them. */
  readonly signal?: AbortSignal
}

/** Latents that `dit encode` has written. */
export interface LatentsRequest {
  readonly latents: string
  readonly flip: boolean
  /** What the network is told in place of the class. */
  readonly conditions?: WantedConditions
}

/** The module of the objective makes the batches. */
export interface ModuleRequest {
  readonly module: true
}

/** What a run asks for, from the folder that it began with or another one. */
export function requestOf(
  {
    data,
    flip,
    classes,
    objective,
  }: {
    readonly data: DataConfig
    readonly flip: boolean
    readonly classes: readonly string[]
    /** Where conditions are to be read that it has. */
    readonly objective?: ObjectiveConfig
  },
  flags: {
    readonly data?: string
    readonly latents?: string
    readonly maxPixels?: number
    readonly classNames?: string
  } = {},
): DataRequest | LatentsRequest | ModuleRequest {
  if (data.kind === 'module') return { module: true }
  const conditions = wantedOf(data, objective)
  if (flags.latents !== undefined) return { latents: flags.latents, flip, ...conditions }
  if (data.kind === 'latents' && flags.data === undefined) return { latents: data.folder, flip, ...conditions }
  const path = flags.data ?? placeOfData(data)
  const { classNames } = flags
  if (!isPictureData(data)) {
    return { data: path, size: data.size, skipBad: false, background: '#ffffff', classNames, classes, ...conditions }
  }
  const { size, skipBad, background, maxPixels, contents } = data
  const checks = contents === undefined ? {} : { checkFiles: contents.files }
  return {
    data: path,
    size,
    skipBad,
    background,
    maxPixels: flags.maxPixels ?? maxPixels,
    ...checks,
    classNames,
    classes,
    ...conditions,
  }
}

/** The conditions of a run. */
function wantedOf(data: DataConfig, objective: ObjectiveConfig | undefined): { conditions?: WantedConditions } {
  const specs = objective === undefined ? undefined : denoisingOrNull({ objective })?.model.conditions
  if (specs === undefined || !('conditions' in data) || data.conditions === undefined) return {}
  return { conditions: { asked: data.conditions.asked, specs } }
}

/** What `--data` or `--latents` names. */
export function placeOfData(data: Exclude<DataConfig, { kind: 'module' }>): string {
  if (isGenerated(data)) return data.kind
  return data.kind === 'dataset' ? data.module : data.folder
}

/**
 * Opens generated pictures, a folder of pictures, tar shards of them, the data set of a module, or latents.
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
  if ('latents' in request) {
    const opened = await openLatents(request.latents, request.flip)
    return withConditions(opened, request, { folder: request.latents, files: null }, output)
  }
  const { data, size } = request
  const isModule = await namesDatasetModule(data)
  const isShards = !isGeneratedName(data) && !isModule && (await namesTarShards(data))
  refuseClassNames(request, isShards, isModule)
  if (request.conditions !== undefined && (isModule || isShards || isGeneratedName(data))) {
    const what = isShards ? 'tar shards' : isModule ? 'a module' : 'generated pictures'
    throw new UsageError(`--conditions is for folders of pictures or latents, but --data ${data} is of ${what}`)
  }
  if (isModule) {
    const { dataset, module, pictures } = await openDatasetModule(data, { size })
    const { length } = dataset
    const close = async () => dataset.close?.()
    return { dataset, config: { kind: 'dataset', module, size, length, pictures }, close }
  }
  if (isGeneratedName(data)) return openGenerated(data, size)
  if (!isShards) await checkFolder(data)
  const { pictures, files } = isShards ? await shardPictures(request, output) : await folderPictures(request, output)
  const { skipped, length } = pictures
  if (skipped.length > 0) {
    const names = skipped.map(({ path, reason }) => `\n  ${printableName(path)}: ${reasonInFlags(reason)}`).join('')
    output.notice(`left out ${skipped.length} unreadable pictures:${names}`)
  }
  const { skipBad, background, maxPixels, checkFiles } = request
  const ground = background ?? null
  const transparency = transparencyText(pictures, ground, background === undefined)
  if (transparency !== null) output.line(transparency)
  const swallowed = swallowedText(pictures, ground)
  if (swallowed !== null) output.notice(swallowed)
  const place = isShards
    ? ({
        kind: 'shards',
        folder: data
          .split('::')
          .map((part) => resolve(part))
          .join('::'),
      } as const)
    : ({ kind: 'folder', folder: resolve(data) } as const)
  const contents = checkFiles === undefined ? {} : { contents: await contentsDigest(files, checkFiles, output) }
  const opened: OpenPictures = {
    dataset: pictures,
    config: {
      ...place,
      size,
      length,
      skipBad,
      files: await fingerprint(files),
      ...contents,
      ...(background === undefined ? {} : { background }),
      ...(maxPixels === undefined ? {} : { maxPixels }),
    },
    close: () => pictures.close(),
  }
  return withConditions(opened, request, { folder: data, files: pictures.files }, output)
}

/** Data with the conditions that are asked for; closed where these cannot serve. */
async function withConditions(
  opened: OpenPictures,
  { conditions }: Pick<DataRequest, 'conditions'>,
  place: { readonly folder: string; readonly files: readonly string[] | null },
  output: Output,
): Promise<OpenPictures> {
  if (conditions === undefined) return opened
  const { dataset, config } = opened
  const checked = isPictureData(config) ? config.contents?.files : undefined
  try {
    const told = await toldDataset(dataset, conditions, { ...place, checked, output })
    const close = async () => {
      await told.close()
      await opened.close()
    }
    return { dataset: told.dataset, config: { ...config, conditions: told.conditions } as DataConfig, close }
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function shardPictures(request: DataRequest, output: Output) {
  const pictures = await openShards(request, output)
  return { pictures, files: shardFiles(pictures) }
}

async function folderPictures(request: DataRequest, output: Output) {
  const pictures = await openFolder(request, output)
  return { pictures, files: folderFiles(request.data, pictures) }
}

function refuseClassNames(
  { data, classNames }: Pick<DataRequest, 'data' | 'classNames'>,
  isShards: boolean,
  isModule: boolean,
): void {
  if (classNames === undefined || isShards) return
  const ofFolder = isModule ? 'the module names its classes' : 'the sub-folders of a folder name its classes'
  const why = isGeneratedName(data) ? `${data} have names` : ofFolder
  throw new UsageError(`--class-names ${classNames}: it is for tar shards, whose classes are numbers; ${why}`)
}

/** @throws UsageError unless there is such a folder */
export async function checkFolder(data: string): Promise<void> {
  const found = await stat(data).catch(() => null)
  if (found === null)
    throw new UsageError(
      `--data ${data}: no such folder; give \`shapes\`, \`sprites\`, a folder with one sub-folder of pictures per class, tar shards, or a module`,
    )
  if (!found.isDirectory())
    throw new UsageError(
      `--data ${data}: this is a file; give a folder with one sub-folder of pictures per class, or tar shards`,
    )
}

/**
 * Classes and pictures of a folder or of tar shards; no picture is read.
 *
 * @throws UsageError when they cannot serve
 */
export async function countPictures(
  request: Pick<DataRequest, 'data' | 'classNames' | 'size'>,
  output: Pick<Output, 'line'>,
): Promise<{ classes: number; pictures: number }> {
  const { data, size } = request
  if (isGeneratedName(data)) return { classes: GENERATED_CLASSES[data].length, pictures: GENERATED_LENGTH }
  const isModule = await namesDatasetModule(data)
  const isShards = !isModule && (await namesTarShards(data))
  refuseClassNames(request, isShards, isModule)
  if (isModule) {
    const { dataset } = await openDatasetModule(data, { size })
    await dataset.close?.()
    return { classes: dataset.classes.length, pictures: dataset.length }
  }
  if (isShards) return countShards(request, output)
  await checkFolder(data)
  const { classes, files } = await scanFolder(data, { onScan: searchLines(data, output) }).catch(inFlags)
  return { classes: classes.length, pictures: files.length }
}

/** Pixels of the largest picture that was read before there was a choice. */
const FIRST_MAX_PIXELS = 16_383 ** 2

async function openFolder(request: DataRequest, output: Output): Promise<ImageFolder> {
  const { data, size, skipBad, background, classes, signal } = request
  const progress = checkingProgress(output)
  const onScan = searchLines(data, output)
  const onScanned = (scan: FolderScan) => {
    output.line(foundText(scan))
    const leftOut = leftOutText(request.conditions === undefined ? scan.leftOut : withoutConditionsFile(scan.leftOut))
    if (leftOut !== null) output.line(leftOut)
    const wrongFolder = classes === undefined ? wrongFolderText(data, scan) : null
    if (wrongFolder !== null) output.notice(wrongFolder)
  }
  const isOld = background === undefined
  const maxPixels = request.maxPixels ?? (isOld ? FIRST_MAX_PIXELS : undefined)
  const rules = isOld ? 1 : 2
  const reading = { size, skipBad, classes, background: background ?? null, maxPixels, rules } as const
  try {
    const { onProgress } = progress
    return await openImageFolder(data, { ...reading, onScan, onScanned, onProgress, signal }).catch(inFlags)
  } finally {
    progress.stop()
  }
}

/** What was passed over, but for the file of conditions, which is read. */
function withoutConditionsFile(leftOut: FolderScan['leftOut']): FolderScan['leftOut'] {
  return leftOut
    .map((each) => (each.kind === '.safetensors' ? { ...each, count: each.count - 1 } : each))
    .filter(({ count }) => count > 0)
}

/**
 * Says how the data of a resumed run differ from those it began with; the folder may have moved.
 *
 * @returns null where they are the same
 */
export function dataDifference(before: DataConfig, now: DataConfig): string | null {
  const identity = (data: DataConfig) => JSON.stringify({ ...data, folder: null, module: null, maxPixels: undefined })
  if (identity(before) === identity(now)) return null
  if (before.kind !== now.kind) return 'the run began with other data'
  if (before.kind === 'module' || now.kind === 'module') return null
  if (identity(withoutConditions(before)) === identity(withoutConditions(now)))
    return 'what the network is told of the pictures has changed'
  if (now.kind === 'dataset' && before.length === now.length)
    return 'the module makes other pictures than at the beginning'
  if (before.length !== now.length)
    return `the run began with ${before.length} pictures, but there are ${now.length} now`
  if (isPictureData(before) && isPictureData(now) && before.files === now.files) {
    if (before.contents?.sha256 !== now.contents?.sha256) return 'pictures were changed since the run began'
  }
  return 'the files are not those the run began with'
}

function withoutConditions(data: DataConfig): DataConfig {
  return { ...data, conditions: undefined } as DataConfig
}

/** Whether the same pictures are held out of both, as far as names and sizes of files tell. */
export function isSameSplit(before: DataConfig, now: DataConfig): boolean {
  if (before.kind === 'module' || now.kind === 'module') return before.kind === now.kind
  return before.kind === now.kind && before.length === now.length && filesOf(before) === filesOf(now)
}

function filesOf(data: Exclude<DataConfig, { kind: 'module' }>): string | null {
  if (data.kind === 'dataset') return data.pictures
  return 'files' in data ? data.files : null
}
