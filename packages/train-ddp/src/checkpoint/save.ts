import type { Params, Tensor } from '@dit/tensor'
import type { FileRecord, RunStore, TensorSource } from '../run/run-store.js'
import type { TrainState } from '../state.js'
import type { SavedCounters } from './counters.js'
import { CHECKPOINT_FILES, checkpointPath, MANIFEST } from './names.js'
import type { Manifest } from './manifest.js'

/**
 * Writes a checkpoint: tensors and counters first, the manifest last. Until the manifest is there, no reader takes the
 * folder for a checkpoint.
 *
 * @returns its path in the store, and its size in bytes
 */
export async function saveCheckpoint(
  store: RunStore,
  state: TrainState,
  counters: SavedCounters,
): Promise<{ path: string; bytes: number }> {
  const folder = checkpointPath(counters.step)
  await store.remove(folder)
  const metadata = { format: 'dit', step: String(counters.step) }
  const files: Record<string, FileRecord> = {}
  const { model, ema, optimizer, state: stateFile } = CHECKPOINT_FILES
  files[model] = await store.writeTensors(`${folder}/${model}`, sources(state.params), metadata)
  files[ema] = await store.writeTensors(`${folder}/${ema}`, sources(state.ema), metadata)
  const moments = new Map([...sources(state.m.params, 'exp_avg.'), ...sources(state.v.params, 'exp_avg_sq.')])
  files[optimizer] = await store.writeTensors(`${folder}/${optimizer}`, moments, metadata)
  files[stateFile] = await store.write(`${folder}/${stateFile}`, `${JSON.stringify(counters, null, 2)}\n`)
  const manifest: Manifest = { format: 'dit-checkpoint-1', step: counters.step, files }
  await store.write(`${folder}/${MANIFEST}`, `${JSON.stringify(manifest, null, 2)}\n`)
  return { path: folder, bytes: Object.values(files).reduce((total, file) => total + file.bytes, 0) }
}

function sources(params: Params, prefix = ''): Map<string, TensorSource> {
  return new Map(Object.entries(params).map(([name, tensor]) => [prefix + name, source(tensor)]))
}

function source(tensor: Tensor): TensorSource {
  const dtype = tensor.dtype === 'f64' ? 'F64' : 'F32'
  return { dtype, shape: tensor.shape, data: () => tensor.data() }
}
