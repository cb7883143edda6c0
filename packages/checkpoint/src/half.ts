/**
 * Float16 bit patterns (IEEE 754 binary16) as float32. Exact for every pattern; NaN keeps sign and payload.
 *
 * @param bits one pattern an element, as `StoredArray` holds F16
 * @param out  where the values go, as long as `bits`; a new array by default
 * @returns `out`
 * @throws RangeError when `out` has another length
 */
export function float16ToFloat32(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  requireLength('float16ToFloat32', bits, out)
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length)
  if (bits.length < WORTH_A_TABLE) {
    for (let i = 0; i < bits.length; i++) words[i] = wordOfHalf(bits[i])
  } else {
    table ??= Uint32Array.from({ length: 2 ** 16 }, (_, half) => wordOfHalf(half))
    for (let i = 0; i < bits.length; i++) words[i] = table[bits[i]]
  }
  return out
}

/** From this many elements on, a table of all patterns pays. */
const WORTH_A_TABLE = 2 ** 16

/** The float32 word of every float16, once it was needed. */
let table: Uint32Array | undefined

function wordOfHalf(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 0x1f
  const mantissa = half & 0x3ff
  if (exponent === 31) return sign | 0x7f800000 | (mantissa << 13)
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (mantissa << 13) // the biases are 15 and 127
  if (mantissa === 0) return sign
  // A subnormal, mantissa * 2^-24, is a normal float32: its leading one moves to the hidden place.
  const shift = Math.clz32(mantissa) - 21
  return sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13)
}

function requireLength(who: string, bits: Uint16Array, out: Float32Array): void {
  if (out.length !== bits.length) throw new RangeError(`${who}: out must have ${bits.length} elements (${out.length})`)
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
 * @param out  where the values go, as long as `bits`; a new array by default
 * @returns `out`
 * @throws RangeError when `out` has another length
 */
export function bfloat16ToFloat32(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  requireLength('bfloat16ToFloat32', bits, out)
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length)
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16
  return out
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
