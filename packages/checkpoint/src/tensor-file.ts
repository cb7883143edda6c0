import type { StoredArray, StoredSpec } from './dtype.js'
import { float8E4M3ToFloat32, float8E5M2ToFloat32 } from './float8.js'
import { bfloat16ToFloat32, float16ToFloat32 } from './half.js'
import { quote } from './quote.js'

/**
 * Named tensors, whatever holds them: a safetensors file, the state dict of a `.pt` file, a file in shards. Nothing but
 * names, dtypes and shapes has been read; each tensor is read when asked for.
 */
export interface TensorFile<Entry extends StoredSpec = StoredSpec> {
  /** Every tensor's dtype and shape, in the file's order. */
  readonly entries: ReadonlyMap<string, Entry>
  /** Strings that the file carries beside its tensors, where its format can. */
  readonly metadata?: Readonly<Record<string, string>>
  /**
   * Reads one tensor. The caller owns the result.
   *
   * @throws Error of the format's own kind when there is no such tensor, or its bytes cannot be had
   */
  tensor(name: string): Promise<StoredArray>
  /**
   * Reads one tensor as float32. F16, BF16 and float8 convert exactly; F64 rounds to the nearest, and past float32's range
   * to Infinity. The caller owns the result.
   *
   * @throws Error as `tensor` does
   * @throws TypeError on integers and booleans, which float32 need not hold exactly
   */
  float32(name: string): Promise<Float32Array>
}

/** The `float32` of a file, from its `tensor`: the dtype is looked at before anything is read. */
export function float32Reader({ entries, tensor }: Pick<TensorFile, 'entries' | 'tensor'>): TensorFile['float32'] {
  return async (name) => {
    const dtype = entries.get(name)?.dtype
    if (dtype !== undefined && !isFloatDType(dtype)) throw notFloat(`tensor ${quote(name)}`, dtype)
    return toFloat32(await tensor(name))
  }
}

/**
 * The elements of an array as float32: exact for F32, which is not copied, F16, BF16 and float8; rounded to the nearest for F64.
 *
 * @throws TypeError on integers and booleans, which float32 need not hold exactly
 */
export function toFloat32(array: StoredArray): Float32Array {
  switch (array.dtype) {
    case 'F32':
      return array.data
    case 'F64':
      return new Float32Array(array.data)
    case 'F16':
      return float16ToFloat32(array.data)
    case 'BF16':
      return bfloat16ToFloat32(array.data)
    case 'F8_E4M3':
      return float8E4M3ToFloat32(array.data)
    case 'F8_E5M2':
      return float8E5M2ToFloat32(array.data)
    default:
      throw notFloat('array', array.dtype)
  }
}

function isFloatDType(dtype: string): boolean {
  return dtype.startsWith('F') || dtype === 'BF16'
}

function notFloat(what: string, dtype: string): TypeError {
  return new TypeError(`float32: ${what} must be F64, F32, F16, BF16 or float8 (${dtype}); use tensor()`)
}
