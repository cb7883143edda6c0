import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dataset } from '@dit/data'
import { splitDataset, subset } from '@dit/data'
import { namesTarShards, type PictureDataset, scanFolder } from '@dit/data/node'
import type { LabelledPictures, ReferenceStatistics, SetName } from '@dit/evaluate'
import { isCheckpoint, isRun } from '@dit/pipeline/node'
import { readRunOfCheckpoint } from '../run/checkpoint-run.js'
import { namesDatasetModule } from '../run/dataset-module.js'
import { isGeneratedName } from '../run/generated-data.js'
import { checkFolder, dataDifference, type DataRequest, openData, placeOfData, requestOf } from '../run/open-data.js'
import type { RunConfig } from '../run/run-config.js'
import { readRunConfig } from '../run/run-folder.js'
import { UsageError } from '../terminal/errors.js'
import type { Output } from '../terminal/output.js'
import { unreadablePicture } from '../terminal/unreadable-picture.js'
import { flatFiles, openFlatFolder } from './flat-folder.js'
import { readEvaluationNpz } from './npz-pictures.js'

/** A set of pictures that was opened. Whoever opened it closes it. */
export interface OpenSet {
  readonly source: Dataset | LabelledPictures | ReferenceStatistics
  readonly name: SetName
  close(): Promise<void>
}

/** What the argument of `dit eval` names. */
export type Judged = 'run' | 'model' | 'npz' | 'pictures'

/** Files that a folder of a model has. */
const OF_MODEL = /^(?:model_index\.json|config\.json|.*\.(?:safetensors|safetensors\.index\.json|pt|bin))$/

/** What is judged, by its path. */
export async function kindOf(path: string): Promise<Judged> {
  if (/\.npz$/i.test(path)) return 'npz'
  if (await isRun(path)) return 'run'
  if (isCheckpoint(path)) return 'run'
  if ((await namesDatasetModule(path)) || (await namesTarShards(path))) return 'pictures'
  const found = await stat(path).catch(() => null)
  if (found === null || !found.isDirectory()) return 'model'
  return (await readdir(path)).some((name) => OF_MODEL.test(name)) ? 'model' : 'pictures'
}

/** `config.json` of a run, or of the run of a checkpoint. */
export async function runConfigOf(path: string): Promise<RunConfig> {
  return isCheckpoint(path) ? readRunOfCheckpoint(path) : readRunConfig(path)
}

/** How pictures in files are read. */
export interface Reading {
  readonly size: number
  readonly skipBad?: boolean
  /** Null drops alpha; white where it is absent. */
  readonly background?: string | null
  readonly signal?: AbortSignal
}

/**
 * Whether there is what a flag names, before anything large is read.
 *
 * @throws UsageError where there is not
 */
export async function checkThere(flag: string, path: string): Promise<void> {
  if (/\.npz$/i.test(path)) return requireFile(flag, path)
  if (isGeneratedName(path) || (await namesDatasetModule(path)) || (await namesTarShards(path))) return
  await checkFolder(path).catch((error: unknown) => renamed(error, flag))
}

/** Pictures of a folder, of tar shards or of an npz, or statistics. */
export async function openSet(
  flag: string,
  path: string,
  { size, skipBad = false, background = '#ffffff', signal }: Reading,
  output: Output,
): Promise<OpenSet> {
  if (/\.npz$/i.test(path)) {
    await requireFile(flag, path)
    const npz = await readEvaluationNpz(flag, path)
    if (npz.kind === 'statistics')
      return { source: npz.reference, name: { name: path, kind: 'statistics' }, ...NOTHING }
    if (npz.hasStatistics)
      output.notice(`${path} holds pictures and statistics; the pictures are used, and mu and sigma are not`)
    return { source: npz.pictures, name: { name: path, kind: 'npz' }, ...NOTHING }
  }
  const flat = await openFlatFolder(path, size, background)
  if (flat !== null) return { source: flat, name: { name: path, kind: 'folder', files: flat.files }, ...NOTHING }
  const opened = await openData({ data: path, size, skipBad, background, signal }, output).catch((error: unknown) =>
    renamed(error, flag),
  )
  const { dataset } = opened
  const { files } = dataset as Partial<PictureDataset>
  if (files !== undefined) await tellEnlarged(path, files, size, output)
  return {
    source: dataset,
    name: { name: path, kind: kindOfData(opened.config), files },
    close: () => opened.close(),
  }
}

/** The pictures of a run: what it was trained on, and what it held out. */
export interface RunSets {
  readonly training: OpenSet
  /** Null where nothing was held out. */
  readonly heldOut: OpenSet | null
}

/**
 * Opens the pictures that a run was trained on, cut as it cut them.
 *
 * @throws UsageError where they are no pictures, are gone, or are not those that it began with
 */
export async function openRunSets(
  run: string,
  config: RunConfig,
  output: Output,
  signal?: AbortSignal,
): Promise<RunSets> {
  const { data, heldOut, classes, flip } = config
  if (data.kind === 'module' || data.kind === 'latents') {
    const what = data.kind === 'latents' ? 'latents' : 'batches of a module'
    throw new UsageError(
      `${run} was trained on ${what}; give real pictures with --data, and training pictures with --train`,
    )
  }
  const request = requestOf({ data, flip, classes })
  const opened = await openData({ ...(request as DataRequest), signal }, output)
  const difference = dataDifference(data, opened.config)
  if (difference !== null) {
    await opened.close()
    throw new UsageError(
      `${run}: ${difference}, so what it held out cannot be told from what it was trained on; give real pictures with --data`,
    )
  }
  const place = placeOfData(data)
  const files = (opened.dataset as Partial<PictureDataset>).files
  const close = () => opened.close()
  if (heldOut === undefined) {
    return {
      training: { source: opened.dataset, name: { name: place, kind: kindOfData(data), files }, close },
      heldOut: null,
    }
  }
  const cut = await splitPlaces(opened.dataset, heldOut.share)
  const share = `${Number((100 * heldOut.share).toPrecision(3))} %`
  const part = (places: Uint32Array, name: string, closing: () => Promise<void>): OpenSet => ({
    source: subset(opened.dataset, places),
    name: { name, kind: kindOfData(data), files: files && Array.from(places, (index) => files[index]) },
    close: closing,
  })
  return {
    training: part(cut.train, `the training part of ${place}`, close),
    heldOut: part(cut.heldOut, `${place}, the ${share} that the run held out`, async () => {}),
  }
}

/** Places of the pictures that a run trained on, and of those that it held out: `splitDataset` of places in place of pictures. */
async function splitPlaces(dataset: Dataset, share: number): Promise<{ train: Uint32Array; heldOut: Uint32Array }> {
  const { length, classes } = dataset
  const labels = dataset.labels!()
  const places: Dataset = {
    length,
    classes,
    shape: [1, 1, 1],
    labels: () => labels,
    read: async (indices) => ({ x0: Float32Array.from(indices), labels: new Int32Array(indices.length) }),
  }
  const { train, heldOut } = await splitDataset(places, { share })
  const all = async (part: Dataset) =>
    Uint32Array.from((await part.read(Uint32Array.from({ length: part.length }, (_, i) => i))).x0)
  return { train: await all(train), heldOut: await all(heldOut) }
}

/**
 * Side of the square pictures of a folder that is judged: all must have one.
 *
 * @throws UsageError that names two pictures of different sizes
 */
export async function sideOfFolder(path: string): Promise<number> {
  if (await namesTarShards(path)) throw new UsageError(`${path}: give the side of its pictures with --size`)
  const files = (await flatFiles(path)) ?? (await scanFolder(path, {})).files.map((file) => file.path)
  const { default: sharp } = await import('sharp')
  let first: { readonly name: string; readonly width: number; readonly height: number } | null = null
  for (const name of files) {
    const { width, height } = await sharp(await readFile(join(path, name)))
      .metadata()
      .catch((cause: unknown) => {
        throw unreadablePicture(join(path, name), cause)
      })
    first ??= { name, width, height }
    if (width !== first.width || height !== first.height) {
      throw new UsageError(
        `${path}: pictures must have one size, but ${first.name} is ${first.width} x ${first.height} and ${name} ${width} x ${height}; ` +
          '--size crops and scales all to one',
      )
    }
  }
  if (first === null) throw new UsageError(`${path}: there are no pictures in it`)
  if (first.width !== first.height) {
    throw new UsageError(
      `${path}: pictures must be square, but they are ${first.width} x ${first.height}; --size crops them`,
    )
  }
  return first.width
}

/** Tells of pictures that are smaller than what they are compared with: enlarged they are blurred, which is no fault of what is judged. */
async function tellEnlarged(path: string, files: readonly string[], size: number, output: Output): Promise<void> {
  const { default: sharp } = await import('sharp')
  const small: string[] = []
  for (const name of files) {
    const { width, height } = await sharp(join(path, name))
      .metadata()
      .catch(() => ({ width: size, height: size }))
    if (Math.min(width, height) < size) small.push(`${name} is ${width} x ${height}`)
  }
  if (small.length === 0) return
  output.notice(
    `${path}: ${small.length} of ${files.length} pictures are smaller than ${size} x ${size} and are enlarged, which blurs them (${small[0]}); ` +
      'compare at the size of the smaller ones with --size',
  )
}

const NOTHING = { close: async () => {} }

function kindOfData({ kind }: RunConfig['data']): 'folder' | 'dataset' {
  return isGeneratedName(kind) || kind === 'dataset' ? 'dataset' : 'folder'
}

async function requireFile(flag: string, path: string): Promise<void> {
  if ((await stat(path).catch(() => null))?.isFile() === true) return
  throw new UsageError(`${flag} ${path}: there is no such file`.trim())
}

/** An error of `openData` under the flag that was given. */
function renamed(error: unknown, flag: string): never {
  if (!(error instanceof UsageError)) throw error
  throw new UsageError(error.message.replace(/^--data\b:? ?/, flag === '' ? '' : `${flag} `), { cause: error })
}
