import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  type TensorFile,
  toFloat32,
} from '@dit/checkpoint'
import { type Backend, currentBackend, type Shape, tensor } from '@dit/tensor'
import type { ParameterSource } from './parameter-source.js'

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
 * Holds weights in half precision in this process's memory, for engines that compute in float32: `forward` converts each parameter
 * when it reads it and forgets the copy when the block is done.
 *
 *   memory = 2 bytes for each parameter + 4 bytes for each of one block
 *
 * Biases and the position table, less than a hundredth of all, stay float32 where they are stored so. DiT-XL/2 takes 1.35 GB + 0.1 GB in place of 2.7 GB. Each forward pass converts every parameter again, which costs about as
 * much time as copying them.
 *
 *     const source = await holdParams(weights)
 *     const out = forward(weights.config, source, inputs)
 *
 * @param weights under the official names, from `readLayout`
 * @throws RangeError when a float16 would overflow: hold such weights in bf16
 * @throws TypeError when a tensor holds no floats
 */
export async function holdParams(
  weights: TensorFile,
  { dtype = 'f16', backend = currentBackend() }: HoldParamsOptions = {},
): Promise<ParameterSource> {
  const held = new Map<string, Held>()
  const shapes: Record<string, Shape> = {}
  let largest = 0
  for (const [name, { shape }] of weights.entries) {
    const parameter = await hold(weights, name, dtype)
    held.set(name, parameter)
    shapes[name] = shape
    if (parameter.dtype !== 'f32') largest = Math.max(largest, parameter.data.length)
  }
  // One for all: a new array for each conversion would leave more garbage than the parameters take.
  const scratch = new Float32Array(largest)
  return {
    backend,
    shapes,
    load(name) {
      const found = held.get(name)
      if (found === undefined) throw new RangeError(`holdParams: there is no parameter ${JSON.stringify(name)}`)
      return tensor(floatsOf(found, scratch), shapes[name], { backend })
    },
  }
}

function floatsOf({ dtype, data }: Held, scratch: Float32Array): Float32Array {
  if (dtype === 'f32') return data
  const values = scratch.subarray(0, data.length)
  return dtype === 'f16' ? float16ToFloat32(data, values) : bfloat16ToFloat32(data, values)
}

async function hold(weights: TensorFile, name: string, dtype: HeldDType): Promise<Held> {
  const array = await weights.tensor(name)
  if (array.dtype === 'F16') return { dtype: 'f16', data: array.data }
  if (array.dtype === 'BF16') return { dtype: 'bf16', data: array.data }
  const values = toFloat32(array)
  if (array.shape.length < 2 || name === 'pos_embed') return { dtype: 'f32', data: values }
  if (dtype === 'bf16') return { dtype, data: float32ToBfloat16(values) }
  const bits = float32ToFloat16(values)
  const at = bits.findIndex((pattern, i) => (pattern & 0x7fff) === 0x7c00 && Number.isFinite(values[i]))
  if (at >= 0)
    throw new RangeError(`holdParams: ${name} must stay below 65520 in f16 (value ${at} is ${values[at]}); use bf16`)
  return { dtype, data: bits }
}
