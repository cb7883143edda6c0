import type { View } from '../backend.js'
import { type TensorData, typedArray } from '../dtype.js'
import { sizeOf } from '../shape.js'

/** Numbers that a kernel reads or writes, sharing the view's memory; of a weight in half precision, which is only read, a copy. */
export function values(view: View): Exclude<TensorData, Uint16Array> {
  const data = stored(view)
  if (!(data instanceof Uint16Array)) return data
  const valueOf = view.dtype === 'f16' ? valueOfHalf : valueOfBfloat16
  return Float64Array.from(data, valueOf)
}

/** What the view holds, sharing its memory: bit patterns where it is in half precision. */
export function stored({ dtype, shape, buffer, byteOffset }: View): TensorData {
  return typedArray(dtype, sizeOf(shape), buffer as ArrayBuffer, byteOffset)
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of mantissa. */
const valueOfHalf = (bits: number) => valueOf(bits, 10, 15)

/** The upper half of a float32: a sign, 8 bits of exponent, 7 of mantissa. */
const valueOfBfloat16 = (bits: number) => valueOf(bits, 7, 127)

function valueOf(bits: number, mantissaBits: number, bias: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits & 0x7fff) >> mantissaBits
  const one = 1 << mantissaBits
  const mantissa = bits & (one - 1)
  if (exponent === 2 * bias + 1) return mantissa === 0 ? sign * Infinity : NaN
  // The smallest exponent stands for subnormal numbers, which have no hidden one.
  const [digits, power] = exponent === 0 ? [mantissa, 1] : [one + mantissa, exponent]
  return sign * digits * 2 ** (power - bias - mantissaBits)
}
