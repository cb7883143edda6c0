import { type Communicator, onRankZero } from '@dit/collectives'
import type { FileRecord, RunStore } from '../run/run-store.js'
import type { TrainState } from '../state.js'
import type { SavedCounters } from './counters.js'
import type { Manifest } from './manifest.js'
import { CHECKPOINT_FILES, checkpointPath, MANIFEST, tensorFile } from './names.js'
import { partSources, partsOf, type ReadKept } from './tensors.js'

/** What was written: its path in the store, and its size in bytes. */
export interface SavedCheckpoint {
  readonly path: string
  readonly bytes: number
}

/** What a checkpoint is made of, and what goes before and after it. */
export interface SaveOptions {
  readonly communicator: Communicator
  /** Of rank 0; with `saveShards` of every rank, and the same folder for all. */
  readonly store: RunStore | undefined
  readonly state: TrainState
  readonly counters: () => SavedCounters
  /** Run on rank 0. */
  readonly before: () => Promise<void>
  readonly after: () => Promise<void>
}

/**
 * Writes a checkpoint: tensors and counters first, the manifest last. Until the manifest is there, no reader takes the
 * folder for a checkpoint.
 *
 * Rank 0 writes, and collects what the workers hold in parts, a bucket at a time: the files are those of a run with one
 * worker, so that any number of workers can go on. Every rank calls it.
 *
 * @returns undefined on other ranks
 */
export async function saveCheckpoint(options: SaveOptions): Promise<SavedCheckpoint | undefined> {
  const { communicator, store, state, counters, before, after } = options
  const kept = [...state.optimizer.slots, ...state.optimizer.averages]
  const read = (index: number, bucket: number) => state.optimizer.read(kept[index], bucket)
  const write = async (together: typeof read) => {
    await before()
    const readTogether: ReadKept = (name, bucket) => together(kept.indexOf(name), bucket)
    const saved = await writeCheckpoint(store!, state, counters(), readTogether)
    await after()
    return saved
  }
  return onRankZero(communicator, write, read)
}

async function writeCheckpoint(
  store: RunStore,
  state: TrainState,
  counters: SavedCounters,
  read: ReadKept,
): Promise<SavedCheckpoint> {
  const folder = checkpointPath(counters.step)
  await store.remove(folder)
  const sources = partSources(state, read, Object.keys(state.params))
  const files: Record<string, FileRecord> = {}
  for (const part of partsOf(state)) {
    const name = tensorFile(part)
    files[name] = await store.writeTensors(`${folder}/${name}`, sources[part], tensorMetadata(counters.step))
  }
  return complete(store, counters, files)
}

/** What the header of every file of tensors says. */
export function tensorMetadata(step: number): Readonly<Record<string, string>> {
  return { format: 'dit', step: String(step) }
}

/** Writes the counters and the manifest: from now on the checkpoint counts. */
export async function complete(
  store: RunStore,
  counters: SavedCounters,
  tensorFiles: Readonly<Record<string, FileRecord>>,
): Promise<SavedCheckpoint> {
  const { step } = counters
  const path = checkpointPath(step)
  const { state } = CHECKPOINT_FILES
  const files = { ...tensorFiles, [state]: await store.write(`${path}/${state}`, json(counters)) }
  const manifest: Manifest = { format: 'dit-checkpoint-1', step, files }
  await store.write(`${path}/${MANIFEST}`, json(manifest))
  return { path, bytes: Object.values(files).reduce((total, { bytes }) => total + bytes, 0) }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
