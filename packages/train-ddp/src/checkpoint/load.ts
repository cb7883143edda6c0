import { formatShape, type Params, sameShape, upload } from '@dit/tensor'
import type { RunStore } from '../run/run-store.js'
import type { TrainState } from '../state.js'
import { CHECKPOINT_FILES, checkpointPath } from './names.js'
import { findDamage, listCheckpoints } from './manifest.js'
import type { SavedCounters } from './save.js'

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
  for (const step of await listCheckpoints(store)) {
    const damage = await findDamage(store, step)
    const path = checkpointPath(step)
    if (damage === null) return { step, path, notices }
    notices.push(`${path} is damaged (${damage}); an earlier checkpoint is used instead`)
  }
  if (notices.length === 0) return null
  throw new DamagedCheckpointError(
    `${store.location}: no checkpoint is whole: ${notices.map((line) => line.split(';')[0]).join('; ')}`,
  )
}

export async function readCounters(store: RunStore, path: string): Promise<SavedCounters> {
  const bytes = await store.read(`${path}/${CHECKPOINT_FILES.state}`)
  return JSON.parse(new TextDecoder().decode(bytes!)) as SavedCounters
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
