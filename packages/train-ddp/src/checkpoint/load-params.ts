import { type Backend, type Params, tensor } from '@dit/tensor'
import type { RunStore } from '../run/run-store.js'
import type { TensorPart } from './names.js'
import { openPart } from './open-part.js'

/**
 * Parameters of a checkpoint for sampling: the averaged ones (`ema`, or a further average of the recipe) or those that were trained (`model`).
 *
 * @param path folder of the checkpoint in the store, as `findCheckpoint` gives it
 * @returns by state-dict name; the caller disposes of them
 */
export async function loadCheckpointParams(
  store: RunStore,
  path: string,
  which: TensorPart,
  backend: Backend,
): Promise<Params> {
  const file = await openPart(store, path, which)
  try {
    const params: Record<string, Params[string]> = {}
    for (const [name, { dtype, shape }] of file.entries) {
      const data = dtype === 'F64' ? ((await file.tensor(name)).data as Float64Array) : await file.float32(name)
      params[name] = tensor(data, shape, { backend })
    }
    return params
  } finally {
    await file.close()
  }
}
