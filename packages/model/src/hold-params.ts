import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  type TensorFile,
  toFloat32,
} from '@dit/checkpoint'
import { type Backend, currentBackend, reshape, type Shape, tensor, Tensor } from '@dit/tensor'
import { isLinearWeight } from './parameter-shapes.js'
import type { ParameterSource } from './parameter-source.js'
import { requireFinite } from './require-finite.js'

/** How parameters are held in memory: two bytes each, of float16 (11 bits, up to 65504) or bfloat16 (8 bits, the range of float32). */
export type HeldDType = 'f16' | 'bf16'

export interface HoldParamsOptions {
  /** What to hold matrices in that are stored in another type; what is stored in half precision stays as it is. Default: `f16`. */
  readonly dtype?: HeldDType
  /** The engine that will compute, in its own `float` type; the current backend by default. */
  readonly backend?: Backend
}

/** A parameter in host memory. */
type Held =
  | { readonly dtype: HeldDType; readonly data: Uint16Array }
  | { readonly dtype: 'f32'; readonly data: Float32Array }

/**
 * Holds weights in half precision.
 *
 *   memory = 2 bytes for each parameter
 *
 * On an engine that reads weights in half precision, such as WebGPU and the native one of CPUs, they lie there, and no pass converts or copies them. For other
 * engines they lie in this process's memory: `forward` converts each parameter when it reads it and forgets the copy when the block
 * is done, which takes another 4 bytes for each parameter of one block and, in every pass, about as much time as copying all of them.
 *
 * Biases and tables, about a hundredth of all, are float32 on the engine; biases and the position table are not rounded, either.
 * DiT-XL/2 takes 1.35 GB in place of 2.7 GB.
 *
 *     const source = await holdParams(weights)
 *     const out = forward(weights.config, source, inputs)
 *     source.dispose()
 *
 * @param weights under the official names, from `readLayout`
 * @throws RangeError for values that are not finite
 * @throws RangeError when a float16 would overflow: hold such weights in bf16
 * @throws RangeError when `dtype` is another
 * @throws TypeError when a tensor holds no floats
 */
export async function holdParams(
  weights: TensorFile,
  { dtype = 'f16', backend = currentBackend() }: HoldParamsOptions = {},
): Promise<ParameterSource> {
  if (dtype !== 'f16' && dtype !== 'bf16') {
    throw new RangeError(`holdParams: dtype must be f16 or bf16 (got ${JSON.stringify(dtype)})`)
  }
  const held = new Map<string, Held | Tensor>()
  const shapes: Record<string, Shape> = {}
  let largest = 0
  let isDisposed = false
  const dispose = () => {
    isDisposed = true
    for (const each of held.values()) if (each instanceof Tensor) each.dispose()
    held.clear()
  }
  try {
    for (const [name, { shape }] of weights.entries) {
      const parameter = await hold(weights, name, dtype)
      shapes[name] = shape
      const stored = isLinearWeight(name, shape) ? parameter.dtype : 'f32'
      if (stored !== 'f32' && backend.dtypes.includes(stored)) {
        held.set(name, tensor(parameter.data, shape, { backend, dtype: stored }))
      } else if (stored === 'f32' && backend.dtypes.includes(dtype)) {
        held.set(name, tensor(floatsOf(parameter), shape, { backend }))
      } else {
        held.set(name, parameter)
        largest = Math.max(largest, parameter.data.length)
      }
    }
  } catch (error) {
    dispose()
    throw error
  }
  // One for all: a new array for each conversion would leave more garbage than the parameters take.
  const scratch = new Float32Array(largest)
  return {
    backend,
    shapes,
    load(name) {
      if (isDisposed) throw new Error('holdParams: the parameters were used after they were disposed of')
      const found = held.get(name)
      if (found === undefined) throw new RangeError(`holdParams: there is no parameter ${JSON.stringify(name)}`)
      if (found instanceof Tensor) return reshape(found, found.shape)
      return tensor(floatsOf(found, scratch.subarray(0, found.data.length)), shapes[name], { backend })
    },
    dispose,
  }
}

function floatsOf({ dtype, data }: Held, out = new Float32Array(data.length)): Float32Array {
  if (dtype === 'f32') return data
  return dtype === 'f16' ? float16ToFloat32(data, out) : bfloat16ToFloat32(data, out)
}

/** An exponent of ones alone is infinite or NaN. */
function requireFiniteBits(name: string, dtype: 'F16' | 'BF16', bits: Uint16Array): void {
  const exponent = dtype === 'F16' ? 0x7c00 : 0x7f80
  const at = bits.findIndex((pattern) => (pattern & exponent) === exponent)
  if (at < 0) return
  const one = bits.subarray(at, at + 1)
  const [value] = dtype === 'F16' ? float16ToFloat32(one) : bfloat16ToFloat32(one)
  throw new RangeError(
    `holdParams: the weights must be finite, but value ${at} of ${name} is ${value}: the training diverged, or the file is damaged`,
  )
}

async function hold(weights: TensorFile, name: string, dtype: HeldDType): Promise<Held> {
  const array = await weights.tensor(name)
  if (array.dtype === 'F16' || array.dtype === 'BF16') requireFiniteBits(name, array.dtype, array.data)
  if (array.dtype === 'F16') return { dtype: 'f16', data: array.data }
  if (array.dtype === 'BF16') return { dtype: 'bf16', data: array.data }
  const values = toFloat32(array)
  requireFinite('holdParams', name, values)
  if (array.shape.length < 2 || name === 'pos_embed') return { dtype: 'f32', data: values }
  if (dtype === 'bf16') return { dtype, data: float32ToBfloat16(values) }
  const bits = float32ToFloat16(values)
  const at = bits.findIndex((pattern, i) => (pattern & 0x7fff) === 0x7c00 && Number.isFinite(values[i]))
  if (at >= 0)
    throw new RangeError(`holdParams: ${name} must stay below 65520 in f16 (value ${at} is ${values[at]}); use bf16`)
  return { dtype, data: bits }
}
