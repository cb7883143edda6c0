/**
 * Float8 bytes with 5 exponent and 2 mantissa bits, as float32: each is the upper half of a float16. Exact for every pattern.
 *
 * @param bytes one pattern an element, as `StoredArray` holds F8_E5M2
 * @returns a new array of the same length
 *
 * Micikevicius et al. 2022, "FP8 Formats for Deep Learning", table 1.
 */
export function float8E5M2ToFloat32(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (pattern) => {
    const [sign, exponent, mantissa] = [pattern & 0x80 ? -1 : 1, (pattern >>> 2) & 0x1f, pattern & 3]
    if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
    return sign * (exponent === 0 ? mantissa * 2 ** -16 : (4 + mantissa) * 2 ** (exponent - 17))
  })
}

/**
 * Float8 bytes with 4 exponent and 3 mantissa bits, as float32. Exact for every pattern. The format has no infinities: the
 * largest value is 448, and all ones is NaN.
 *
 * @param bytes one pattern an element, as `StoredArray` holds F8_E4M3
 * @returns a new array of the same length
 *
 * Micikevicius et al. 2022, "FP8 Formats for Deep Learning", table 1.
 */
export function float8E4M3ToFloat32(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (pattern) => {
    const [sign, exponent, mantissa] = [pattern & 0x80 ? -1 : 1, (pattern >>> 3) & 0xf, pattern & 7]
    if (exponent === 15 && mantissa === 7) return NaN
    return sign * (exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10))
  })
}
