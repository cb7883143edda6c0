import { integers, normals, randomStream, uniforms } from '@dit/random'
import { type Shape, sizeOf } from '../shape.js'

/** Values of an input: float32 numbers, so that every engine starts from the same ones, i32, or patterns of half precision. */
export interface Input {
  readonly shape: Shape
  readonly data: Float32Array | Int32Array | Uint16Array
  /** Of patterns. */
  readonly dtype?: HalfDType
}

export type HalfDType = 'f16' | 'bf16'

/** Standard normal values; `label` names the draw. */
export function drawNormal(label: string, shape: Shape, scale = 1, offset = 0): Input {
  return {
    shape,
    data: normals(randomStream(0, 'conformance', label), sizeOf(shape)).map((value) => offset + scale * value),
  }
}

/** Uniform values in [low, high). */
export function drawUniform(label: string, shape: Shape, low: number, high: number): Input {
  return {
    shape,
    data: uniforms(randomStream(0, 'conformance', label), sizeOf(shape)).map((value) => low + (high - low) * value),
  }
}

/** Integers in 0..bound-1. */
export function drawIntegers(label: string, shape: Shape, bound: number): Input {
  return { shape, data: integers(randomStream(0, 'conformance', label), bound, sizeOf(shape)) }
}

/** Standard normal values as patterns of half precision, whose spare bits are cut off. */
export function drawHalf(label: string, shape: Shape, dtype: HalfDType, scale = 1): Input {
  const values = Float32Array.from(drawNormal(label, shape, scale).data)
  return {
    shape,
    dtype,
    data: Uint16Array.from(new Uint32Array(values.buffer), dtype === 'f16' ? cutToF16 : cutToBf16),
  }
}

const cutToBf16 = (word: number) => word >>> 16

/** Of a float32 below 2^16: the bias of the exponent is 15 for 127; below 2^-14 it is zero. */
function cutToF16(word: number): number {
  const magnitude = word & 0x7fffffff
  return ((word >>> 16) & 0x8000) | (magnitude < 113 << 23 ? 0 : (magnitude - (112 << 23)) >>> 13)
}

/** Given values. */
export function given(values: readonly number[], shape: Shape = [values.length]): Input {
  return { shape, data: Float32Array.from(values) }
}

/** Given i32 values. */
export function givenIntegers(values: readonly number[], shape: Shape = [values.length]): Input {
  return { shape, data: Int32Array.from(values) }
}
