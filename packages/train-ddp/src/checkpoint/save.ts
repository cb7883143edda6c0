import type { Tensor } from '@dit/tensor'
import type { Communicator, Floats } from '../communicator/communicator.js'
import { type Moment, MOMENTS, valueOf } from '../optimizer-state.js'
import { onRankZero } from '../parallel/rank-zero.js'
import type { FileRecord, RunStore, TensorSource } from '../run/run-store.js'
import type { TrainState } from '../state.js'
import type { SavedCounters } from './counters.js'
import { CHECKPOINT_FILES, checkpointPath, MANIFEST } from './names.js'
import type { Manifest } from './manifest.js'

/** What was written: its path in the store, and its size in bytes. */
export interface SavedCheckpoint {
  readonly path: string
  readonly bytes: number
}

/**
 * Writes a checkpoint: tensors and counters first, the manifest last. Until the manifest is there, no reader takes the
 * folder for a checkpoint.
 *
 * Rank 0 writes, and collects what the workers hold in parts, a bucket at a time: the files are those of a run with one
 * worker, so that any number of workers can go on. Every rank calls it.
 *
 * @param store of rank 0
 * @param before and after run on rank 0 with it
 * @returns undefined on other ranks
 */
export async function saveCheckpoint(
  communicator: Communicator,
  store: RunStore | undefined,
  state: TrainState,
  counters: () => SavedCounters,
  { before, after }: { readonly before: () => Promise<void>; readonly after: () => Promise<void> },
): Promise<SavedCheckpoint | undefined> {
  const read = (moment: number, bucket: number) => state.optimizer.read(MOMENTS[moment], bucket)
  const write = async (together: typeof read) => {
    await before()
    const saved = await writeCheckpoint(store!, state, counters(), (moment, bucket) =>
      together(MOMENTS.indexOf(moment), bucket),
    )
    await after()
    return saved
  }
  return onRankZero(communicator, write, read)
}

async function writeCheckpoint(
  store: RunStore,
  state: TrainState,
  counters: SavedCounters,
  read: (moment: Moment, bucket: number) => Promise<Floats>,
): Promise<SavedCheckpoint> {
  const folder = checkpointPath(counters.step)
  await store.remove(folder)
  const metadata = { format: 'dit', step: String(counters.step) }
  const files: Record<string, FileRecord> = {}
  const { model, ema, optimizer, state: stateFile } = CHECKPOINT_FILES
  const moment = momentSources(state, read)
  const params = new Map(Object.entries(state.params).map(([name, tensor]) => [name, source(tensor)]))
  const averages = new Map(
    [...params.keys()].map((name) => [
      name,
      state.trainable.params[name] === undefined ? source(state.emaFrozen.params[name]) : moment('ema', name),
    ]),
  )
  files[model] = await store.writeTensors(`${folder}/${model}`, params, metadata)
  files[ema] = await store.writeTensors(`${folder}/${ema}`, averages, metadata)
  const moments = new Map(
    (['exp_avg', 'exp_avg_sq'] as const).flatMap((kind) =>
      Object.keys(state.trainable.params).map((name) => [`${kind}.${name}`, moment(kind, name)] as const),
    ),
  )
  files[optimizer] = await store.writeTensors(`${folder}/${optimizer}`, moments, metadata)
  files[stateFile] = await store.write(`${folder}/${stateFile}`, `${JSON.stringify(counters, null, 2)}\n`)
  const manifest: Manifest = { format: 'dit-checkpoint-1', step: counters.step, files }
  await store.write(`${folder}/${MANIFEST}`, `${JSON.stringify(manifest, null, 2)}\n`)
  return { path: folder, bytes: Object.values(files).reduce((total, file) => total + file.bytes, 0) }
}

/** Moments are read in order of tensors, whose buckets follow each other: the last one read is kept. */
function momentSources(
  { trainable, buckets }: TrainState,
  read: (moment: Moment, bucket: number) => Promise<Floats>,
): (moment: Moment, name: string) => TensorSource {
  const bucketOf = new Map(buckets.flatMap(({ names }, i) => names.map((name) => [name, i])))
  let [key, values]: [string, Promise<Floats> | null] = ['', null]
  return (moment, name) => {
    const { shape, dtype } = trainable.params[name]
    const index = bucketOf.get(name)!
    const data = async () => {
      const wanted = `${moment} ${index}`
      if (key !== wanted || values === null) [key, values] = [wanted, read(moment, index)]
      return valueOf(trainable.layout, buckets[index], await values, name)
    }
    return { dtype: dtype === 'f64' ? 'F64' : 'F32', shape, data }
  }
}

function source(tensor: Tensor): TensorSource {
  return { dtype: tensor.dtype === 'f64' ? 'F64' : 'F32', shape: tensor.shape, data: () => tensor.data() }
}
