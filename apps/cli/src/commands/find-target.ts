import { readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { DIT_NAMES } from '@dit/model'
import { findPretrained } from '@dit/pipeline/node'
import { CHECKPOINT_FILES, partFile, readBest } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { pretrainedLike, pretrainedPlaces } from '../settings/pretrained.js'
import { nearest } from '../settings/suggest.js'
import { CONFIG_FILE } from '../run/run-config.js'
import { isBestCheckpoint } from '../run/checkpoint-run.js'
import { UsageError } from '../terminal/errors.js'

/** What `dit info` was pointed at. */
export type InfoTarget =
  | { readonly kind: 'model'; readonly name: string }
  | { readonly kind: 'run'; readonly folder: string }
  /** A file or folder of weights, and the run that its checkpoint is part of. */
  | { readonly kind: 'file'; readonly path: string; readonly run: string | null }

/**
 * Tells runs, checkpoint folders, files and model names apart.
 *
 * @throws UsageError when it is none of them, with the nearest name
 */
export async function findTarget(word: string): Promise<InfoTarget> {
  if (DIT_NAMES.some((name) => name === word)) return { kind: 'model', name: word }
  const pretrained = await findPretrained(word, pretrainedPlaces())
  if (pretrained !== null) return { kind: 'file', path: pretrained, run: null }
  const found = await stat(word).catch(() => null)
  if (found === null && isBestCheckpoint(word)) return bestTarget(word)
  if (found === null) {
    const name = pretrainedLike(word) ?? nearest(word, DIT_NAMES)
    const hint =
      name === null ? `; models are called ${DIT_NAMES[0]} to ${DIT_NAMES.at(-1)}` : `; did you mean ${name}?`
    throw new UsageError(`${word}: there is no file, folder or model of this name${hint}`)
  }
  if (!found.isDirectory()) return { kind: 'file', path: word, run: await runOf(resolve(word, '..')) }
  if (await isWeightsFolder(word)) return { kind: 'file', path: word, run: null }
  if (await isFile(join(word, CONFIG_FILE))) return { kind: 'run', folder: word }
  const weights = join(word, await partFile(folderRunStore(word), '', 'model'))
  if (await isFile(weights)) return { kind: 'file', path: weights, run: await runOf(resolve(word)) }
  throw new UsageError(
    `${word} is neither a run (it has no ${CONFIG_FILE}) nor a checkpoint (it has no ${CHECKPOINT_FILES.model})`,
  )
}

async function bestTarget(word: string): Promise<InfoTarget> {
  const run = resolve(word, '..', '..')
  const store = folderRunStore(run)
  const best = await readBest(store)
  if (best === null)
    throw new UsageError(`${word}: the run keeps no best checkpoint; --eval-every of \`dit train\` does`)
  return { kind: 'file', path: join(run, best.path, await partFile(store, best.path, 'model')), run }
}

/** Whether a folder has weights as diffusers saves them, alone or in a pipeline. */
async function isWeightsFolder(folder: string): Promise<boolean> {
  if (await isFile(join(folder, 'model_index.json'))) return true
  const text = await readFile(join(folder, CONFIG_FILE), 'utf8').catch(() => '')
  return /"_class_name"\s*:\s*"/.test(text)
}

/** The run whose checkpoint a folder is, or null. */
async function runOf(checkpoint: string): Promise<string | null> {
  const run = resolve(checkpoint, '..', '..')
  const isInside = basename(resolve(checkpoint, '..')) === 'checkpoints' && (await isFile(join(run, CONFIG_FILE)))
  return isInside ? run : null
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false
}
