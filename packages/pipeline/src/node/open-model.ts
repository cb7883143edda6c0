import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { folderTree, openTensorFile } from '@dit/checkpoint/node'
import type { FoundAutoencoder, OpenModel } from '../open-model.js'
import { type ModelSource, openModel as openAnywhere, type OpenModelOptions as Options } from '../open/open-model.js'
import type { DenoisingObjective } from '@dit/train-ddp'
import { findAutoencoder, type OpenOptions, openTree } from '../open/open-tree.js'
import { withAdapter } from '../open/with-adapter.js'
import { OpenError, OptionError } from '../option-error.js'
import { findPretrained, type ResolveFrom } from './find-pretrained.js'
import { isCheckpoint, isRun, openRun } from './open-run.js'

/** Options of `openModel` of `@dit/pipeline/node`. */
export interface OpenModelOptions extends Omit<Options, 'autoencoder'> {
  /** The autoencoder of latents: a folder as diffusers saves it, or of a pipeline that has one. */
  readonly autoencoder?: string | FoundAutoencoder
  /** Of a run that trains one of your own: that objective, made by `denoising`, which only your code can build. */
  readonly objective?: DenoisingObjective
  /** A file of low-rank adapters, with which the weights are merged as they are read. */
  readonly lora?: string
  /** How strongly the adapters count: 1 is as trained (default). */
  readonly loraScale?: number
  /** Where `@dit/pretrained` is resolved from, such as `import.meta.url`. Default: the working directory, then this package. */
  readonly resolveFrom?: ResolveFrom
}

/**
 * Finds and understands a model, before its weights are read: what `openModel` of `@dit/pipeline` takes, and a path of a run of `dit train`
 * or of one of its checkpoints, of a file of weights (`.safetensors`, `.pt`, the index of shards), or of a folder of diffusers, or the name of
 * a model of `@dit/pretrained`, such as `@dit/pretrained/heroes`.
 *
 * @throws OpenError that says what is missing and where it was looked for; OptionError for options that its files contradict; the errors of
 *   the readers for damaged or hostile files
 */
export async function openModel(
  source: ModelSource,
  { lora, loraScale, ...options }: OpenModelOptions = {},
): Promise<OpenModel> {
  if (lora === undefined && loraScale !== undefined) {
    throw new OptionError('loraScale', 'it works only with `lora`, the file of the adapters')
  }
  const model = await openBase(source, options)
  return lora === undefined ? model : openWithAdapter(model, lora, loraScale)
}

async function openBase(
  source: ModelSource,
  { autoencoder, fetch, objective, resolveFrom, ...others }: Omit<OpenModelOptions, 'lora' | 'loraScale'>,
): Promise<OpenModel> {
  const found = typeof autoencoder === 'string' ? await autoencoderOf(autoencoder) : autoencoder
  const options = found === undefined ? others : { ...others, autoencoder: found }
  if (typeof source === 'string') {
    const pretrained = await findPretrained(source, resolveFrom)
    // Nothing is to be written beside it, so no location is told.
    if (pretrained !== null) {
      const model = await openTree(source, folderTree(dirname(pretrained)), basename(pretrained), options)
      return { ...model, title: source }
    }
  }
  const path = pathOf(source)
  if (path !== null) return openPath(path, options, objective)
  if (objective !== undefined) throw new OptionError('objective', 'it is for a run on this disk; leave it out')
  return openAnywhere(source, { ...options, ...(fetch === undefined ? {} : { fetch }) })
}

async function openWithAdapter(model: OpenModel, path: string, scale: number | undefined): Promise<OpenModel> {
  try {
    const found = await stat(path).catch(() => null)
    if (found === null) throw new OpenError(path, 'there is no such file')
    if (!found.isFile())
      throw new OpenError(
        path,
        'it is a folder, not a file of adapters; `dit convert <run> <file>.safetensors --adapter` writes one',
      )
    const file = await openTensorFile(path)
    const close = async () => {
      await file.close()
      await model.close()
    }
    try {
      return { ...(await withAdapter(model, file, { ...(scale === undefined ? {} : { scale }), name: path })), close }
    } catch (error) {
      await file.close()
      throw error
    }
  } catch (error) {
    await model.close()
    throw error
  }
}

/** The path that a source is; null for an address, and for what is in memory. */
function pathOf(source: ModelSource): string | null {
  if (source instanceof URL) return source.protocol === 'file:' ? fileURLToPath(source) : null
  if (typeof source !== 'string' || /^(?:hf:|https?:\/\/|data:|blob:)/i.test(source)) return null
  return source.startsWith('file://') ? fileURLToPath(source) : source
}

async function openPath(path: string, options: OpenOptions, objective?: DenoisingObjective): Promise<OpenModel> {
  const found = await stat(path).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  })
  // The best checkpoint of a run has no folder of that name.
  if (found === null && isCheckpoint(path) && (await isRun(dirname(dirname(path)))))
    return openRun(path, options, objective)
  if (found === null) {
    const index = `${path}.index.json`
    const isSharded = (await stat(index).catch(() => null)) !== null
    const advice = isSharded ? `; the weights are in several files, so give their index ${index}` : ''
    throw new OpenError(path, `there is no such file or folder${advice}`)
  }
  const isRunFolder = found.isDirectory() && (isCheckpoint(path) || (await isRun(path)))
  if (isRunFolder) return openRun(path, options, objective)
  if (objective !== undefined) {
    throw new OptionError(
      'objective',
      `it is for a run that trains one of your own, which ${path} is not; leave it out`,
    )
  }
  if (!found.isDirectory()) {
    return { ...(await openTree(path, folderTree(dirname(path)), basename(path), options)), location: path }
  }
  const model = await openTree(path, folderTree(path), null, options)
  return { ...model, location: join(path, 'config.json') }
}

/**
 * The autoencoder of a folder: its own, or that of a pipeline's folder.
 *
 * @throws OpenError where there is none
 */
export async function autoencoderOf(folder: string): Promise<FoundAutoencoder> {
  const tree = folderTree(folder)
  const found = (await findAutoencoder(tree)) ?? (await findAutoencoder(tree, ''))
  if (found !== null) return { ...found, name: folder }
  throw new OpenError(
    folder,
    `there is no diffusers autoencoder in this folder (${join(folder, 'config.json')} does not describe one)`,
  )
}
