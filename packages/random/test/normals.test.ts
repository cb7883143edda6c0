import { expect, test } from 'vitest'
import { normals, randomStream, uint32s } from '../src/index.js'

const stream = randomStream(0, 'normals')

test('gives the stored bits', () => {
  // Made by this package (first version, seed 0, path 'normals'); any engine must give exactly these.
  const bits = [...new Uint32Array(normals(stream, 16).buffer)].map((word) => word.toString(16).padStart(8, '0'))
  expect(bits).toEqual([
    '3fbcb9f8',
    'bf1a66eb',
    '3fd83571',
    '401f01cf',
    '3f92fd7a',
    'beb2c2da',
    '3f6d97e8',
    '3fd2fd0e',
    'bf3f915d',
    'bfde0823',
    '3fe0eaf5',
    'becd0796',
    '3f1a5fb4',
    '3e1f86dd',
    '3fbcc422',
    'bf7fd76b',
  ])
  expect(hash(normals(stream, 100_000))).toBe(4180082944)
})

test('is within 1 unit in the last place of Box-Muller with the float64 functions of the engine', () => {
  const count = 200_000
  const words = uint32s(stream, count)
  const draws = normals(stream, count)
  let worst = 0
  for (let p = 0; p < count; p += 2) {
    const radius = Math.sqrt(-2 * Math.log((words[p] + 0.5) / 2 ** 32))
    const angle = (2 * Math.PI * (words[p + 1] + 0.5)) / 2 ** 32
    worst = Math.max(worst, ulps(draws[p], radius * Math.cos(angle)), ulps(draws[p + 1], radius * Math.sin(angle)))
  }
  expect(worst).toBeLessThan(0.501) // half a unit is a correct rounding
})

test('any start and count is a slice of the whole, odd ones too', () => {
  const whole = normals(stream, 40)
  for (let start = 0; start < 9; start++) {
    for (let count = 0; count < 12; count++) {
      expect(normals(stream, count, start)).toEqual(whole.slice(start, start + count))
    }
  }
  expect(normals(stream, 3, 1).buffer.byteLength).toBe(12) // owns its memory, no view into a larger buffer
})

test('has the moments of a standard normal', () => {
  const n = 1_000_000
  const sums = [0, 0, 0, 0]
  for (const z of normals(stream, n)) {
    sums[0] += z
    sums[1] += z * z
    sums[2] += z ** 3
    sums[3] += z ** 4
  }
  // four standard errors: the variances of z, z^2, z^3, z^4 are 1, 2, 15, 96
  expect(Math.abs(sums[0] / n)).toBeLessThan(4 * Math.sqrt(1 / n))
  expect(Math.abs(sums[1] / n - 1)).toBeLessThan(4 * Math.sqrt(2 / n))
  expect(Math.abs(sums[2] / n)).toBeLessThan(4 * Math.sqrt(15 / n))
  expect(Math.abs(sums[3] / n - 3)).toBeLessThan(4 * Math.sqrt(96 / n))
})

test('neighbours, also the two of a pair, are not correlated', () => {
  const n = 200_000
  const draws = normals(stream, n + 4)
  for (const lag of [1, 2, 4]) {
    let sum = 0
    for (let i = 0; i < n; i++) sum += draws[i] * draws[i + lag]
    expect(Math.abs(sum / n)).toBeLessThan(4 / Math.sqrt(n))
  }
})

test('follows the normal distribution', () => {
  const n = 100_000
  const sorted = normals(stream, n).toSorted()
  let distance = 0
  sorted.forEach((z, i) => (distance = Math.max(distance, Math.abs(normalCdf(z) - (i + 0.5) / n))))
  // Kolmogorov-Smirnov: one in a thousand; this stream is fixed
  expect(distance).toBeLessThan(1.95 / Math.sqrt(n))
})

test('names itself in errors', () => {
  expect(() => normals(stream, -1)).toThrow('normals: count must be a non-negative safe integer (got -1)')
})

function ulps(got: number, exact: number): number {
  return Math.abs(got - exact) / 2 ** (Math.floor(Math.log2(Math.abs(exact))) - 23)
}

/** FNV-1a over the words of the draws. */
function hash(draws: Float32Array): number {
  let h = 0x811c9dc5
  for (const word of new Uint32Array(draws.buffer)) h = Math.imul(h ^ word, 0x01000193)
  return h >>> 0
}

/** By the series x (1 + x^2/3 + x^4/15 + ...) for the normal integral; float64 is good to |x| < 6. */
function normalCdf(x: number): number {
  let term = x
  let sum = x
  for (let k = 3; Math.abs(term) > 1e-17; k += 2) {
    term *= (x * x) / k
    sum += term
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}
