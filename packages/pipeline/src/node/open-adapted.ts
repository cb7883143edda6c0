import { join } from 'node:path'
import type { TensorFile } from '@dit/checkpoint'
import { openTensorFile } from '@dit/checkpoint/node'
import { isAdapterName, mergeAdapters, readLayout, tensorDigests, weightsDigest } from '@dit/model'
import type { OpenDiT } from '../open-model.js'
import { type Known, type OpenOptions, understand } from '../open/open-tree.js'
import { OpenError } from '../option-error.js'
import type { RunAdapters } from './run-config.js'

/** The weights that a run of adapters began with, in its folder: what the adapters are for. */
export const START_FILE = 'start.safetensors'

/**
 * Opens the weights that a run began with, checked.
 *
 * @param expected their `weightsDigest`; null where nobody knows
 * @throws OpenError where they are gone, or not those of the run
 */
export async function openStart(
  folder: string,
  expected: string | null,
): Promise<TensorFile & { close(): Promise<void> }> {
  const path = join(folder, START_FILE)
  const file = await openTensorFile(path).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw new OpenError(path, 'it is gone, and with it the weights that the run adapts; put it back from a copy', {
      cause,
    })
  })
  try {
    if (expected !== null && (await weightsDigest(await tensorDigests(file))) !== expected) {
      throw new OpenError(
        path,
        'it has changed since the run began, so its adapters do not fit it; put it back from a copy',
      )
    }
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Where adapters of a run are, and what is known of the run. */
interface Adapted {
  /** Of the part of a checkpoint that holds the adapters. */
  readonly path: string
  readonly lora: RunAdapters
  readonly known: Known
  readonly options: OpenOptions
}

/** Opens a checkpoint of a run that trains adapters: the weights that it began with, merged with them. */
export async function openAdapted(folder: string, { path, lora, known, options }: Adapted): Promise<OpenDiT> {
  const start = await openStart(folder, lora.base)
  const trained = await openTensorFile(path).catch(async (error: unknown) => {
    await start.close()
    throw error
  })
  const close = async () => {
    await trained.close()
    await start.close()
  }
  try {
    const { rank, alpha, kept: base } = lora
    const weights = readLayout(mergeAdapters(start, trained, alpha / rank), { config: known.config })
    const opened = { ...weights, path, which: null, unread: [], close }
    const model = await understand(folder, opened, null, options, known)
    const description = { rank, alpha, base, model: model.description }
    return { ...model, adapter: { weights: alone(start, trained, lora.replaced), description } }
  } catch (error) {
    await close()
    throw error
  }
}

/** What was trained, and what else is not as it was in the weights that the run began from: with those, the whole model. */
function alone(start: TensorFile, trained: TensorFile, replaced: readonly string[]): TensorFile {
  const others = replaced.filter((name) => !trained.entries.has(name))
  const of = (name: string) => (trained.entries.has(name) ? trained : start)
  const entries = new Map([
    ...[...trained.entries].toSorted(([a], [b]) => Number(isAdapterName(b)) - Number(isAdapterName(a))),
    ...others.map((name) => [name, start.entries.get(name)!] as const),
  ])
  return { entries, tensor: (name) => of(name).tensor(name), float32: (name) => of(name).float32(name) }
}
