import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { LayoutError, type WhichWeights } from '@dit/model'
import { openWeights, type OpenWeights } from '@dit/model/node'
import { partFile } from '@dit/train-ddp'
import { denoisingOf } from '../run/objective-config.js'
import { CONFIG_FILE, READ_FORMATS } from '../run/run-config.js'
import { findModel } from '../sampling/find-model.js'
import { isSystemError, UsageError } from '../terminal/errors.js'

/** Folders whose weights are read: diffusers' say what they are in their `config.json`, or are pipelines. */
export async function isWeightsFolder(folder: string): Promise<boolean> {
  if (await isFile(join(folder, 'model_index.json'))) return true
  const config = await readConfig(folder)
  return typeof config?.['_class_name'] === 'string'
}

/**
 * Opens weights wherever they come from: files and folders of others, a run of `dit train` (its newest whole checkpoint), or one
 * of its checkpoints.
 *
 * @param which the moving average or the trained weights, where there are both; the average by default
 * @throws UsageError where there are no weights of a DiT, or not those asked for
 */
export async function openSource(path: string, which?: WhichWeights): Promise<OpenWeights> {
  const found = await stat(path).catch(() => null)
  if (found === null) {
    const index = `${path}.index.json`
    const advice = (await isFile(index)) ? `; it is in several files, give their index ${index}` : ''
    throw new UsageError(`${path}: there is no such file or folder${advice}`)
  }
  if (found.isDirectory()) {
    const isCheckpoint = basename(dirname(resolve(path))) === 'checkpoints'
    if (isCheckpoint || READ_FORMATS.includes((await readConfig(path))?.['format'])) {
      const {
        folder,
        store,
        path: checkpoint,
        config,
      } = await findModel(isCheckpoint ? { checkpoint: path } : { run: path })
      const chosen = which ?? 'ema'
      const file = join(folder, checkpoint, await partFile(store, checkpoint, chosen))
      const { model, process } = denoisingOf(config, 'dit convert')
      return { ...(await open(file, { config: model })), which: chosen, process: { ...process } }
    }
  }
  return open(path, which === undefined ? {} : { which })
}

async function open(path: string, options: Parameters<typeof openWeights>[1]): Promise<OpenWeights> {
  try {
    return await openWeights(path, options)
  } catch (error) {
    const part = /^(.*)-\d{5}-of-0*(\d+)(\.\w+)$/.exec(path)
    if (part !== null && (error instanceof LayoutError || error instanceof RangeError)) {
      const [, base, count, extension] = part
      throw new UsageError(
        `${path} is one of ${count} files; give their index ${base}${extension}.index.json, or their folder`,
        { cause: error },
      )
    }
    // What a file does not hold is the caller's mistake; a damaged or hostile file is a failure.
    if (error instanceof LayoutError || (error instanceof RangeError && !isSystemError(error))) {
      throw new UsageError(`${path}: ${error.message}`, { cause: error })
    }
    throw error
  }
}

async function readConfig(folder: string): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    return JSON.parse(await readFile(join(folder, CONFIG_FILE), 'utf8')) as Record<string, unknown> | null
  } catch {
    return null
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false
}
