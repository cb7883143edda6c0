import {
  CommunicationError,
  type Communicator,
  type Floats,
  onRankZero,
  RankZeroError,
  sharedText,
} from '@dit/collectives'
import { CheckpointPartError } from '../events.js'
import type { FileRecord, RunStore } from '../run/run-store.js'
import type { TrainState } from '../state.js'
import { checkpointPath, shardFile, shardsIndexFile } from './names.js'
import { complete, type SavedCheckpoint, type SaveOptions, tensorMetadata } from './save.js'
import { partSources, partsOf, type ReadKept } from './tensors.js'

/**
 * Writes a checkpoint as `saveCheckpoint` does, but every rank writes the tensors of its buckets, all at the same time: whole
 * tensors, in files and with an index as others publish weights in shards. Rank 0 adds the indices, the counters and the
 * manifest once the files of all ranks are there. Every rank calls it.
 *
 * @returns undefined on other ranks
 * @throws CheckpointPartError on rank 0, RankZeroError on the others, where one could not write its files or rank 0 does not see them
 */
export async function saveShards(options: SaveOptions): Promise<SavedCheckpoint | undefined> {
  const { communicator, state, counters, before, after } = options
  const store = options.store!
  const path = checkpointPath(state.step)
  const begin = async () => {
    await before()
    await store.remove(path)
  }
  await onRankZero(communicator, begin, async () => {})
  const files = await together(communicator, await writeOwn(communicator, store, state))
  const finish = async () => {
    await checkSeen(store, path, files)
    const indices = await writeIndices(store, state, communicator.size)
    const saved = await complete(store, counters(), { ...Object.assign({}, ...files), ...indices })
    await after()
    return saved
  }
  return onRankZero(communicator, finish, async () => {})
}

/** Files of a rank, or why it could not write them. */
interface Written {
  readonly files: Readonly<Record<string, FileRecord>>
  readonly error: Error | null
}

/** A bucket's tensors are written by one rank, the buckets by all ranks in turn; frozen parameters by rank 0. */
function namesOf({ buckets, params, trainable }: TrainState, rank: number, writers: number): string[] {
  const own = buckets.flatMap(({ names }, i) => (i % writers === rank ? names : []))
  return rank === 0 ? [...own, ...Object.keys(params).filter((name) => !(name in trainable.params))] : own
}

/** Ranks that write: no more than there are buckets. */
function writersOf({ buckets }: TrainState, workers: number): number {
  return Math.min(workers, buckets.length)
}

async function writeOwn({ rank, size }: Communicator, store: RunStore, state: TrainState): Promise<Written> {
  const writers = writersOf(state, size)
  const reader = ownKept(state, rank, size)
  const sources = partSources(state, reader.read, namesOf(state, rank, writers))
  const files: Record<string, FileRecord> = {}
  let error: Error | null = null
  try {
    for (const part of rank < writers ? partsOf(state) : []) {
      const name = shardFile(part, rank, writers)
      const file = `${checkpointPath(state.step)}/${name}`
      files[name] = await store.writeTensors(file, sources[part], tensorMetadata(state.step))
    }
  } catch (caught) {
    if (caught instanceof CommunicationError) throw caught
    error = caught instanceof Error ? caught : new Error(String(caught))
  }
  await reader.finish()
  return { files, error }
}

/**
 * Reads what is kept for this rank's buckets, in the order of the files. Where workers hold parts, every bucket is read
 * by all together: a round of as many buckets as there are ranks, of which each keeps its own and writes it while the others
 * write theirs.
 */
function ownKept(
  { buckets, optimizer }: TrainState,
  rank: number,
  size: number,
): { read: ReadKept; finish(): Promise<void> } {
  const { averages, slots } = optimizer
  const isWhole = optimizer.average(averages[0]) !== null
  if (isWhole) return { read: (name, bucket) => optimizer.read(name, bucket), async finish() {} }
  const rounds = [...averages, ...slots].flatMap((name) =>
    Array.from({ length: Math.ceil(buckets.length / size) }, (_, round) => ({ name, round })),
  )
  let next = 0
  const readRound = async (): Promise<Floats | null> => {
    const { name, round } = rounds[next++]
    let own: Floats | null = null
    for (let bucket = round * size; bucket < Math.min((round + 1) * size, buckets.length); bucket++) {
      const values = await optimizer.read(name, bucket)
      if (bucket % size === rank) own = values
    }
    return own
  }
  return {
    async read(name, bucket) {
      const wanted = rounds.findIndex((of) => of.name === name && of.round === Math.floor(bucket / size))
      while (next < wanted) await readRound()
      return (await readRound())!
    },
    async finish() {
      while (next < rounds.length) await readRound()
    },
  }
}

/** What every rank has written, on every rank; throws on every rank where one has failed. */
async function together(communicator: Communicator, { files, error }: Written): Promise<Written['files'][]> {
  const own = JSON.stringify({ files, failed: error === null ? null : error.message })
  const all: Written['files'][] = []
  const failures: string[] = []
  for (let rank = 0; rank < communicator.size; rank++) {
    const text = await sharedText(communicator, rank === communicator.rank ? own : undefined, rank)
    const written = JSON.parse(text) as { files: Written['files']; failed: string | null }
    all.push(written.files)
    if (written.failed !== null) failures.push(`rank ${rank}: ${written.failed}`)
  }
  if (failures.length === 0) return all
  const text = `not all parts of the checkpoint could be written: ${failures.join('; ')}`
  // Rank 0 tells it, once for all.
  if (communicator.rank > 0) throw new RankZeroError(text)
  throw new CheckpointPartError(text, { cause: error })
}

async function checkSeen(store: RunStore, path: string, files: readonly Written['files'][]): Promise<void> {
  const seen = new Set(await store.list(path))
  for (const [rank, own] of files.entries()) {
    const missing = Object.keys(own).find((name) => !seen.has(name))
    if (missing === undefined) continue
    throw new CheckpointPartError(
      `${store.location}: rank ${rank} has written ${missing}, which rank 0 does not see; shards of a checkpoint need a folder that all ranks share`,
    )
  }
}

/** `{ metadata: { total_size }, weight_map: { tensor: file } }`, as transformers and diffusers write it. */
async function writeIndices(store: RunStore, state: TrainState, workers: number): Promise<Record<string, FileRecord>> {
  const writers = writersOf(state, workers)
  const records: Record<string, FileRecord> = {}
  const unread: ReadKept = () => Promise.reject(new Error('an index has no values'))
  for (const part of partsOf(state)) {
    const weightMap: Record<string, string> = {}
    let totalSize = 0
    for (let rank = 0; rank < writers; rank++) {
      for (const [name, { dtype, shape }] of partSources(state, unread, namesOf(state, rank, writers))[part]) {
        weightMap[name] = shardFile(part, rank, writers)
        totalSize += shape.reduce((product, extent) => product * extent, dtype === 'F64' ? 8 : 4)
      }
    }
    const name = shardsIndexFile(part)
    const index = { metadata: { total_size: totalSize }, weight_map: weightMap }
    records[name] = await store.write(`${checkpointPath(state.step)}/${name}`, `${JSON.stringify(index, null, 2)}\n`)
  }
  return records
}
