import { type StoredArray, type TensorFile, toFloat32 } from '@dit/checkpoint'
import { type Backend, currentBackend, dispose, type Params, tensor, type Tensor } from '@dit/tensor'
import { requireFinite } from './require-finite.js'

export interface LoadParamsOptions {
  /** Where the parameters live; the current backend by default. */
  readonly backend?: Backend
}

/**
 * Brings weights to an engine, in its `float` type.
 *
 * @param weights under the official names, from `readLayout`
 * @returns by name; the caller disposes of them
 * @throws TypeError when a tensor holds no floats; RangeError for values that are not finite
 */
export async function loadParams(
  weights: TensorFile,
  { backend = currentBackend() }: LoadParamsOptions = {},
): Promise<Params> {
  const loaded = new Map<string, Tensor>()
  try {
    for (const [name, { shape }] of weights.entries) {
      const values = hostFloats(await weights.tensor(name), backend)
      requireFinite('loadParams', name, values)
      loaded.set(name, tensor(values, shape, { backend }))
    }
  } catch (error) {
    dispose([...loaded.values()])
    throw error
  }
  return Object.fromEntries(loaded)
}

/** float64 stays what it is on an engine that computes in it. */
function hostFloats(array: StoredArray, { float }: Backend): Float32Array | Float64Array {
  return array.dtype === 'F64' && float === 'f64' ? array.data : toFloat32(array)
}
