import { type Communicator, type Floats, onRankZero } from '@dit/collectives'
import { formatShape, sameShape, type Tensor, upload } from '@dit/tensor'
import type { RunStore } from '../run/run-store.js'
import { separateAverage, type TrainState } from '../state.js'
import { parseCounters, type SavedCounters } from './counters.js'
import { findDamage, listCheckpointFolders } from './manifest.js'
import { CHECKPOINT_FILES, checkpointPath, checkpointStep, MANIFEST, type TensorPart } from './names.js'
import { type OpenPart, openPart } from './open-part.js'

/** A checkpoint that is whole, and what was passed over to find it. */
export interface FoundCheckpoint {
  readonly step: number
  readonly path: string
  /** One line for each newer checkpoint that is damaged. */
  readonly notices: readonly string[]
}

/** Thrown where a run has checkpoints, but none that is whole. */
export class DamagedCheckpointError extends Error {
  override readonly name = 'DamagedCheckpointError'
}

/**
 * The newest checkpoint whose files match its manifest.
 *
 * @returns null when the run has none yet
 * @throws DamagedCheckpointError when there are some and all are damaged
 */
export async function findCheckpoint(store: RunStore): Promise<FoundCheckpoint | null> {
  const notices: string[] = []
  const damaged: string[] = []
  for (const { step, isComplete } of await listCheckpointFolders(store)) {
    const path = checkpointPath(step)
    const damage = isComplete ? await damageOf(store, step) : null
    if (isComplete && damage === null) return { step, path, notices }
    const problem = damage === null ? `${path} is incomplete (it has no ${MANIFEST})` : `${path} is damaged (${damage})`
    if (damage !== null) damaged.push(problem)
    notices.push(`${problem}; an earlier checkpoint is used instead`)
  }
  if (damaged.length === 0) return null
  throw new DamagedCheckpointError(`${store.location}: no checkpoint is complete: ${damaged.join('; ')}`)
}

/** What cannot even be read is damaged, too. */
async function damageOf(store: RunStore, step: number): Promise<string | null> {
  try {
    return await findDamage(store, step)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * Counters of a checkpoint that `findCheckpoint` found whole.
 *
 * @throws DamagedCheckpointError when `state.json` is not what it must be
 */
export async function readCounters(store: RunStore, path: string): Promise<SavedCounters> {
  const bytes = await store.read(`${path}/${CHECKPOINT_FILES.state}`)
  const counters =
    bytes === null
      ? `${CHECKPOINT_FILES.state} is missing`
      : parseCounters(bytes, checkpointStep(path.split('/').at(-1)!) ?? -1)
  if (typeof counters === 'string') throw new DamagedCheckpointError(`${path} is damaged (${counters})`)
  return counters
}

/** Tensors of a part of a checkpoint: the prefix of their names, and what they fill. */
interface Filling {
  readonly stored: TensorPart
  readonly prefix: string
  /** Null for the parameters themselves, else a slot or an average. */
  readonly kept: string | null
  readonly names: readonly string[]
}

function fillingsOf({ optimizer, params, trainable }: TrainState): Filling[] {
  const all = Object.keys(params)
  return [
    { stored: 'model', prefix: '', kept: null, names: all },
    ...optimizer.averages.map((name) => ({ stored: name, prefix: '', kept: name, names: all })),
    ...optimizer.slots.map((slot) => ({
      stored: 'optimizer',
      prefix: `${slot}.`,
      kept: slot,
      names: Object.keys(trainable.params),
    })),
  ]
}

/**
 * Fills a state from a checkpoint. Rank 0 reads and sends every tensor to all, who keep what is theirs: no other machine
 * needs the files. Every rank calls it.
 *
 * @param path of the checkpoint, on rank 0
 * @throws RangeError when a tensor is missing or has another shape: the checkpoint is of another model
 */
export async function loadTensors(
  communicator: Communicator,
  store: RunStore | undefined,
  path: string | undefined,
  state: TrainState,
): Promise<void> {
  const fillings = fillingsOf(state)
  let current: Floats | null = null
  const take = async (filling: number, index: number) => {
    const { kept, names } = fillings[filling]
    const name = names[index]
    const { size, dtype } = state.params[name]
    const values = current ?? (dtype === 'f64' ? new Float64Array(size) : new Float32Array(size))
    await communicator.broadcast(values).wait()
    await fillIn(state, kept, name, values)
  }
  await onRankZero(
    communicator,
    async (together) => {
      for (const [filling, { stored, prefix, names }] of fillings.entries()) {
        const file = await openPart(store!, path!, stored)
        try {
          for (const [index, name] of names.entries()) {
            current = await storedValues(file, `${path}, ${stored}`, prefix + name, state.params[name])
            await together(filling, index)
          }
        } finally {
          await file.close()
        }
      }
    },
    take,
  )
}

async function fillIn(state: TrainState, kept: string | null, name: string, values: Floats): Promise<void> {
  if (kept === null) upload(state.params[name], values)
  else if (name in state.trainable.params) state.optimizer.load(kept, name, values)
  else if (state.frozenAverages[kept] !== state.frozen || !(await isSame(state.params[name], values))) {
    upload(separateAverage(state, kept)[name], values)
  }
}

async function isSame(tensor: Tensor, values: Floats): Promise<boolean> {
  const held = await tensor.data()
  return held.every((value, i) => value === values[i])
}

async function storedValues(file: OpenPart, path: string, name: string, target: Tensor): Promise<Floats> {
  const entry = file.entries.get(name)
  if (entry === undefined || !sameShape(entry.shape, target.shape)) {
    const found = entry === undefined ? 'nothing' : formatShape(entry.shape)
    throw new RangeError(`${path}: ${name} must be ${formatShape(target.shape)} (got ${found}); it is of another model`)
  }
  const stored = (entry.dtype === 'F64' ? (await file.tensor(name)).data : await file.float32(name)) as Floats
  if (target.dtype === 'f64') return stored instanceof Float64Array ? stored : Float64Array.from(stored)
  return stored instanceof Float32Array ? stored : Float32Array.from(stored)
}
