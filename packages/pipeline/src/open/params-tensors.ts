import { type TensorFile, toFloat32 } from '@dit/checkpoint'
import type { ParameterSource } from '@dit/model'
import { type Params, type Tensor, toFloat32Array } from '@dit/tensor'

export function isSource(params: Params | ParameterSource): params is ParameterSource {
  return typeof params['load'] === 'function'
}

/** Parameters on an engine as named tensors, read back one by one as float32. */
export function paramsTensors(name: string, params: Params | ParameterSource): TensorFile {
  const shapes = isSource(params)
    ? params.shapes
    : Object.fromEntries(Object.entries(params).map(([key, { shape }]) => [key, shape]))
  const entries = new Map(Object.entries(shapes).map(([key, shape]) => [key, { dtype: 'F32' as const, shape }]))
  const float32 = async (key: string) => {
    if (!entries.has(key)) throw new RangeError(`${name}: there is no parameter ${JSON.stringify(key)}`)
    if (!isSource(params)) return valuesOf(params[key])
    const loaded = params.load(key)
    try {
      return await valuesOf(loaded)
    } finally {
      loaded.dispose()
    }
  }
  return {
    entries,
    float32,
    tensor: async (key) => ({ dtype: 'F32', shape: entries.get(key)!.shape, data: await float32(key) }),
  }
}

/** Values as float32; an engine gives those in half precision as their bits. */
async function valuesOf(tensor: Tensor): Promise<Float32Array> {
  const { dtype, shape } = tensor
  if (dtype !== 'f16' && dtype !== 'bf16') return toFloat32Array(tensor)
  return toFloat32({ dtype: dtype === 'f16' ? 'F16' : 'BF16', shape, data: (await tensor.data()) as Uint16Array })
}
