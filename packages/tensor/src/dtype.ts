/**
 * Element types a tensor can have. `f64` exists for the `reference` backend alone; `f16` and `bf16` are storage types: an
 * engine that has them reads weights of `linear` in them, and nothing computes or writes in them.
 */
export type DType = 'f64' | 'f32' | 'f16' | 'bf16' | 'i32'

/** Values of a tensor on the JavaScript side. `f16` and `bf16` come as their raw 16-bit patterns. */
export type TensorData = Float64Array | Float32Array | Int32Array | Uint16Array

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return dtype === 'f64' ? 8 : dtype === 'f32' || dtype === 'i32' ? 4 : 2
}

/** True for the types that floating-point kernels compute in. */
export function isFloat(dtype: DType): boolean {
  return dtype === 'f64' || dtype === 'f32'
}

/** True for half precision, which weights are only stored in. */
export function isHalf(dtype: DType): boolean {
  return dtype === 'f16' || dtype === 'bf16'
}

/** A typed array over `length` elements of `buffer` from `byteOffset`, or a new one where no buffer is given. */
export function typedArray(dtype: DType, length: number): TensorData
export function typedArray(dtype: DType, length: number, buffer: ArrayBufferLike, byteOffset: number): TensorData
export function typedArray(dtype: DType, length: number, buffer?: ArrayBufferLike, byteOffset = 0): TensorData {
  const source = buffer ?? new ArrayBuffer(length * bytesPerElement(dtype))
  switch (dtype) {
    case 'f64':
      return new Float64Array(source, byteOffset, length)
    case 'f32':
      return new Float32Array(source, byteOffset, length)
    case 'i32':
      return new Int32Array(source, byteOffset, length)
    default:
      return new Uint16Array(source, byteOffset, length)
  }
}
