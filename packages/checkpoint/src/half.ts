/**
 * Float16 bit patterns (IEEE 754 binary16) as float32. Exact for every pattern; NaN keeps sign and payload.
 *
 * @param bits one pattern an element, as `StoredArray` holds F16
 * @returns a new array of the same length
 */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length)
  const words = new Uint32Array(values.buffer)
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]
    const sign = (half & 0x8000) << 16
    const exponent = (half >>> 10) & 0x1f
    const mantissa = half & 0x3ff
    if (exponent === 0) {
      // Zero and subnormals are multiples of 2^-24, which float32 holds as normal numbers.
      values[i] = mantissa * 2 ** -24
      words[i] |= sign
    } else if (exponent === 31) {
      words[i] = sign | 0x7f800000 | (mantissa << 13)
    } else {
      words[i] = sign | ((exponent + 112) << 23) | (mantissa << 13) // the biases are 15 and 127
    }
  }
  return values
}

/**
 * Float32 as float16 bit patterns, rounded to the nearest, ties to even. From 65520 on the result is Infinity; up to
 * 2^-25 it is zero with the sign kept. NaN stays NaN (quiet).
 *
 * @returns a new array of the same length
 */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const bits = new Uint16Array(values.length)
  for (let i = 0; i < words.length; i++) bits[i] = halfOf(words[i])
  return bits
}

function halfOf(word: number): number {
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff) // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00 // 65520, half way between 65504 and 2^16, and above
  if (magnitude >= 0x38800000) {
    // 2^-14 and above: a normal half. A carry out of the mantissa correctly raises the exponent.
    const rebased = magnitude - (112 << 23)
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13)
  }
  if (magnitude <= 0x33000000) return sign // 2^-25 is a tie with zero, which is even
  const shift = 126 - (magnitude >>> 23) // to units of 2^-24
  const mantissa = (magnitude & 0x7fffff) | 0x800000
  const quotient = mantissa >>> shift
  const rest = mantissa & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return sign | (rest > half || (rest === half && quotient & 1) ? quotient + 1 : quotient)
}

/**
 * Bfloat16 bit patterns (the upper half of a float32) as float32. Exact for every pattern; NaN keeps sign and payload.
 *
 * @param bits one pattern an element, as `StoredArray` holds BF16
 * @returns a new array of the same length
 */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length)
  const words = new Uint32Array(values.buffer)
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16
  return values
}

/**
 * Float32 as bfloat16 bit patterns, rounded to the nearest, ties to even. NaN stays NaN (quiet); values that round past
 * the largest bfloat16, 3.39e38, become Infinity.
 *
 * @returns a new array of the same length
 */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const bits = new Uint16Array(values.length)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]
    const isNan = (word & 0x7fffffff) > 0x7f800000
    bits[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16
  }
  return bits
}
