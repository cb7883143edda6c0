import { integers, normals, randomStream, uniforms } from '@dit/random'
import { type Shape, sizeOf } from '../shape.js'

/** Values of an input: float32 numbers, so that every engine starts from the same ones, or i32. */
export interface Input {
  readonly shape: Shape
  readonly data: Float32Array | Int32Array
}

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

/** Given values. */
export function given(values: readonly number[], shape: Shape = [values.length]): Input {
  return { shape, data: Float32Array.from(values) }
}

/** Given i32 values. */
export function givenIntegers(values: readonly number[], shape: Shape = [values.length]): Input {
  return { shape, data: Int32Array.from(values) }
}
