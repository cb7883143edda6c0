import { describe, expect, test } from 'vitest'
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from '../src/index.js'

const every = Uint16Array.from({ length: 65536 }, (_, i) => i)
const wordsOf = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length)
const toHalf = (value: number) => float32ToFloat16(Float32Array.of(value))[0]
const toBrain = (value: number) => float32ToBfloat16(Float32Array.of(value))[0]
const fromWords = (...words: number[]) => new Float32Array(Uint32Array.from(words).buffer)

/** The value of a finite half by the definition in IEEE 754: sign, exponent, fraction. */
function halfValue(bits: number): number {
  const exponent = (bits >>> 10) & 31
  const fraction = (bits & 1023) / 1024
  const magnitude = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15)
  return bits & 0x8000 ? -magnitude : magnitude
}

/** Nearest half by search, ties to the even pattern: the plain version that the shifts must agree with. */
function nearestHalf(value: number): number {
  const magnitude = Math.abs(value)
  let best = 0
  let low = 0
  let high = 0x7c00
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (halfValue(middle) <= magnitude) low = middle
    else high = middle
  }
  // 0x7c00 stands for 2^16 here: what rounds to it is Infinity.
  const below = magnitude - halfValue(low)
  const above = (high === 0x7c00 ? 65536 : halfValue(high)) - magnitude
  if (below < above) best = low
  else if (above < below) best = high
  else best = low & 1 ? high : low
  return value < 0 || Object.is(value, -0) ? best | 0x8000 : best
}

describe('float16', () => {
  test('known patterns', () => {
    const bits = Uint16Array.of(0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555, 0x7c00, 0xfc00)
    const values = [0, -0, 1, -2, 65504, 2 ** -14, 2 ** -24, 0.333251953125, Infinity, -Infinity]
    expect([...float16ToFloat32(bits)]).toEqual(values)
  })

  test('every finite pattern has its defined value', () => {
    const values = float16ToFloat32(every)
    const wrong = every.filter((bits) => (bits & 0x7c00) !== 0x7c00 && !Object.is(values[bits], halfValue(bits)))
    expect(wrong).toEqual(new Uint16Array())
  })

  test('every pattern survives the way to float32 and back; NaN becomes quiet', () => {
    const back = float32ToFloat16(float16ToFloat32(every))
    expect(back).toEqual(every.map((bits) => ((bits & 0x7fff) > 0x7c00 ? bits | 0x200 : bits)))
  })

  test('rounds to nearest, ties to even, as a search over all patterns does', () => {
    const values: number[] = [
      65519.996,
      65520,
      65535,
      65536,
      1e30,
      2 ** -25,
      2 ** -25 * (1 + 2 ** -23),
      2 ** -26,
      1e-40,
      -0,
    ]
    // Each half, the middle to the next one, and the float32 numbers beside both.
    for (let bits = 0; bits < 0x7bff; bits += 7) {
      for (const point of [halfValue(bits), (halfValue(bits) + halfValue(bits + 1)) / 2]) {
        const word = wordsOf(Float32Array.of(point))[0]
        values.push(point, ...fromWords(word + 1, Math.max(word - 1, 0)))
      }
    }
    const inputs = Float32Array.from(values.flatMap((value) => [value, -value]))
    expect(float32ToFloat16(inputs)).toEqual(Uint16Array.from(inputs, nearestHalf))
  })

  test('ends', () => {
    expect(toHalf(65519.99)).toBe(0x7bff)
    expect(toHalf(65520)).toBe(0x7c00)
    expect(toHalf(-Infinity)).toBe(0xfc00)
    expect(toHalf(2 ** -25)).toBe(0) // a tie with zero
    expect(toHalf(-(2 ** -149))).toBe(0x8000)
    expect(toHalf(2 ** -14 - 2 ** -26)).toBe(0x0400) // rounds up into the normal numbers
    expect(toHalf(NaN) & 0x7fff).toBe(0x7e00)
    expect(float32ToFloat16(fromWords(0x7f800001, 0xff800001))).toEqual(Uint16Array.of(0x7e00, 0xfe00)) // signalling NaN
  })

  test('an empty array stays empty and a view is respected', () => {
    expect(float32ToFloat16(new Float32Array())).toEqual(new Uint16Array())
    expect(float32ToFloat16(Float32Array.of(0, 1, 2).subarray(1))).toEqual(Uint16Array.of(0x3c00, 0x4000))
  })
})

describe('bfloat16', () => {
  test('every pattern is the upper half of a float32 and survives; NaN becomes quiet', () => {
    const values = bfloat16ToFloat32(every)
    expect(wordsOf(values)).toEqual(Uint32Array.from(every, (bits) => bits * 65536))
    expect(float32ToBfloat16(values)).toEqual(every.map((bits) => ((bits & 0x7fff) > 0x7f80 ? bits | 0x40 : bits)))
  })

  test('rounds to nearest, ties to even', () => {
    expect(float32ToBfloat16(fromWords(0x3f800000, 0x3f807fff, 0x3f808000, 0x3f808001, 0x3f818000))).toEqual(
      Uint16Array.of(0x3f80, 0x3f80, 0x3f80, 0x3f81, 0x3f82),
    )
    expect(float32ToBfloat16(fromWords(0xbf808000, 0xbf818000))).toEqual(Uint16Array.of(0xbf80, 0xbf82))
  })

  test('ends', () => {
    expect(toBrain(3.4028234663852886e38)).toBe(0x7f80) // the largest float32 rounds up to Infinity
    expect(float32ToBfloat16(fromWords(0x7f7f7fff, 0x00000001, 0x00008001))).toEqual(Uint16Array.of(0x7f7f, 0, 1))
    expect(toBrain(-0)).toBe(0x8000)
    expect(toBrain(Infinity)).toBe(0x7f80)
    // A NaN whose payload lies in the lower half alone must not turn into Infinity.
    expect(float32ToBfloat16(fromWords(0x7f800001, 0xffffffff))).toEqual(Uint16Array.of(0x7fc0, 0xffff))
  })
})
