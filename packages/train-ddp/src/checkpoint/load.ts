import { formatShape, type Params, sameShape, upload } from '@dit/tensor'
import type { RunStore } from '../run/run-store.js'
import type { TrainState } from '../state.js'
import { parseCounters, type SavedCounters } from './counters.js'
import { findDamage, listCheckpointFolders } from './manifest.js'
import { CHECKPOINT_FILES, checkpointPath, checkpointStep, MANIFEST } from './names.js'

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
  throw new DamagedCheckpointError(`${store.location}: no checkpoint is whole: ${damaged.join('; ')}`)
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

/**
 * Fills a state from a checkpoint.
 *
 * @throws RangeError when a tensor is missing or has another shape: the checkpoint is of another model
 */
export async function loadState(
  store: RunStore,
  path: string,
  state: TrainState,
  counters: SavedCounters,
): Promise<void> {
  const { model, ema, optimizer } = CHECKPOINT_FILES
  await loadParams(store, `${path}/${model}`, state.params)
  await loadParams(store, `${path}/${ema}`, state.ema)
  await loadParams(store, `${path}/${optimizer}`, prefixed('exp_avg.', state.m.params))
  await loadParams(store, `${path}/${optimizer}`, prefixed('exp_avg_sq.', state.v.params))
  state.step = counters.step
  state.lossHistory = counters.lossHistory
}

async function loadParams(store: RunStore, path: string, targets: Params): Promise<void> {
  const file = await store.openTensors(path)
  try {
    for (const [name, target] of Object.entries(targets)) {
      const entry = file.entries.get(name)
      if (entry === undefined || !sameShape(entry.shape, target.shape)) {
        const found = entry === undefined ? 'nothing' : formatShape(entry.shape)
        throw new RangeError(
          `${path}: ${name} must be ${formatShape(target.shape)} (got ${found}); it is of another model`,
        )
      }
      const stored = entry.dtype === 'F64' ? (await file.tensor(name)).data : await file.float32(name)
      upload(target, stored as Float32Array | Float64Array)
    }
  } finally {
    await file.close()
  }
}

function prefixed(prefix: string, params: Params): Params {
  return Object.fromEntries(Object.entries(params).map(([name, tensor]) => [prefix + name, tensor]))
}
