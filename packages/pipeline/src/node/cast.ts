import { float32ToBfloat16, float32ToFloat16, type StoredArray, type StoredDType, toFloat32 } from '@dit/checkpoint'

/** What `--dtype` takes. */
export const DTYPES = ['f32', 'f16', 'bf16'] as const

export type DTypeName = (typeof DTYPES)[number]

/** The name of each in a safetensors file. */
export const STORED: Readonly<Record<DTypeName, StoredDType & ('F32' | 'F16' | 'BF16')>> = {
  f32: 'F32',
  f16: 'F16',
  bf16: 'BF16',
}

/** What `--dtype` calls a float type of a file. */
export function dtypeName(dtype: 'F32' | 'F16' | 'BF16'): DTypeName {
  return DTYPES.find((name) => STORED[name] === dtype)!
}

/**
 * An array in another float type, rounded to the nearest. Nothing is done where it has that type already.
 *
 * @throws RangeError where a value overflows
 */
export function cast(name: string, array: StoredArray, dtype: DTypeName): StoredArray {
  if (array.dtype === STORED[dtype]) return array
  const values = toFloat32(array)
  if (dtype === 'f32') return { dtype: 'F32', shape: array.shape, data: values }
  const data = dtype === 'f16' ? float32ToFloat16(values) : float32ToBfloat16(values)
  const infinite = dtype === 'f16' ? 0x7c00 : 0x7f80
  const at = data.findIndex((bits, i) => (bits & 0x7fff) === infinite && Number.isFinite(values[i]))
  if (at >= 0)
    throw new RangeError(`${name}: ${values[at]} is too large for ${dtype}; use ${dtype === 'f16' ? 'bf16' : 'f32'}`)
  return { dtype: dtype === 'f16' ? 'F16' : 'BF16', shape: array.shape, data }
}
