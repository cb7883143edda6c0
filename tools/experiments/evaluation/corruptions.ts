import { integers, normals, permutation, randomStream } from '@dit/random'
import type { PictureSet } from './picture-set.js'

/** A way to spoil each picture by itself, at strengths that grow. */
export interface Corruption {
  readonly name: string
  readonly strengths: readonly number[]
  apply(set: PictureSet, strength: number, seed: number): PictureSet
}

/** What is done to pictures, weakest first. */
export const CORRUPTIONS: readonly Corruption[] = [
  { name: 'blur', strengths: [0.5, 1, 2], apply: blur },
  { name: 'noise', strengths: [4, 8, 16], apply: noise },
  { name: 'blocks', strengths: [16, 32, 64], apply: blocks },
  { name: 'contrast', strengths: [0.05, 0.1, 0.2], apply: contrast },
  { name: 'shift', strengths: [1, 2, 4], apply: shift },
  { name: 'swap', strengths: [1, 2, 4], apply: swap },
]

/** A way to spoil a set by which pictures it holds: rows of the set, as many as asked for. */
export interface Selection {
  readonly name: string
  readonly strengths: readonly number[]
  select(labels: Int32Array, count: number, strength: number, seed: number): Int32Array
}

/** What is done to the choice of pictures, weakest first. */
export const SELECTIONS: readonly Selection[] = [
  { name: 'classes missing', strengths: [1, 2, 4], select: withoutClasses },
  { name: 'class repeated', strengths: [0.1, 0.2, 0.4], select: oneClassMore },
  { name: 'few pictures', strengths: [0.5, 0.2, 0.05], select: fewPictures },
]

/** Mixes each picture with its 3 x 3 binomial blur: `strength` below 1 is the share of the blur, above it the number of blurs. */
function blur(set: PictureSet, strength: number): PictureSet {
  let result = set
  for (let left = strength; left > 0; left--) {
    const source = result
    const share = Math.min(left, 1)
    result = eachValue(source, (at, x, y, c, first) => {
      let sum = 0
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const weight = (2 - Math.abs(dx)) * (2 - Math.abs(dy))
          sum += weight * pixel(source, first, x + dx, y + dy, c)
        }
      }
      return (1 - share) * source.pixels[at] + (share * sum) / 16
    })
  }
  return result
}

/** Adds normal noise of a standard deviation in levels. */
function noise(set: PictureSet, sigma: number, seed: number): PictureSet {
  const drawn = normals(randomStream(seed, 'noise'), set.pixels.length)
  return eachValue(set, (at) => set.pixels[at] + sigma * drawn[at])
}

/** Rounds coefficients of the cosine transform of 8 x 8 blocks, as JPEG does, to multiples of a step that grows with frequency. */
function blocks(set: PictureSet, step: number): PictureSet {
  const basis = Float64Array.from({ length: 64 }, (_, i) => {
    const [k, n] = [i >> 3, i & 7]
    return Math.sqrt((k === 0 ? 1 : 2) / 8) * Math.cos((Math.PI * (2 * n + 1) * k) / 16)
  })
  const pixels = new Uint8ClampedArray(set.pixels.length)
  const [block, half] = [new Float64Array(64), new Float64Array(64)]
  for (let i = 0; i < set.count; i++) {
    const first = i * set.height * set.width * 3
    for (let y0 = 0; y0 < set.height; y0 += 8) {
      for (let x0 = 0; x0 < set.width; x0 += 8) {
        for (let c = 0; c < 3; c++) {
          for (let p = 0; p < 64; p++) block[p] = pixel(set, first, x0 + (p & 7), y0 + (p >> 3), c) - 128
          transform(block, half, basis, false)
          for (let p = 0; p < 64; p++) {
            const width = (step * (2 + (p & 7) + (p >> 3))) / 8
            block[p] = Math.round(block[p] / width) * width
          }
          transform(block, half, basis, true)
          for (let p = 0; p < 64; p++) {
            const [x, y] = [x0 + (p & 7), y0 + (p >> 3)]
            if (x < set.width && y < set.height) pixels[first + (y * set.width + x) * 3 + c] = block[p] + 128
          }
        }
      }
    }
  }
  return { ...set, pixels: new Uint8Array(pixels.buffer) }
}

/** The cosine transform of a block in place, or its inverse. */
function transform(block: Float64Array, half: Float64Array, basis: Float64Array, isInverse: boolean): void {
  const weight = (k: number, n: number) => (isInverse ? basis[n * 8 + k] : basis[k * 8 + n])
  for (let y = 0; y < 8; y++) {
    for (let k = 0; k < 8; k++) {
      let sum = 0
      for (let n = 0; n < 8; n++) sum += weight(k, n) * block[y * 8 + n]
      half[y * 8 + k] = sum
    }
  }
  for (let x = 0; x < 8; x++) {
    for (let k = 0; k < 8; k++) {
      let sum = 0
      for (let n = 0; n < 8; n++) sum += weight(k, n) * half[n * 8 + x]
      block[k * 8 + x] = sum
    }
  }
}

/** Moves levels towards the middle by a share. */
function contrast(set: PictureSet, share: number): PictureSet {
  return eachValue(set, (at) => 127.5 + (1 - share) * (set.pixels[at] - 127.5))
}

/** Moves each picture by pixels to the right and down; edges are repeated. */
function shift(set: PictureSet, by: number): PictureSet {
  return eachValue(set, (_, x, y, c, first) => pixel(set, first, x - by, y - by, c))
}

/** Swaps pairs of the 16 patches of each picture. */
function swap(set: PictureSet, pairs: number, seed: number): PictureSet {
  const pixels = set.pixels.slice()
  const [height, width] = [set.height >> 2, set.width >> 2]
  for (let i = 0; i < set.count; i++) {
    const first = i * set.height * set.width * 3
    const patches = permutation(randomStream(seed, 'swap', i), 16)
    for (let pair = 0; pair < pairs; pair++) {
      const [one, other] = [patches[2 * pair], patches[2 * pair + 1]]
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width * 3; x++) {
          const a = first + ((one >> 2) * height + y) * set.width * 3 + (one & 3) * width * 3 + x
          const b = first + ((other >> 2) * height + y) * set.width * 3 + (other & 3) * width * 3 + x
          pixels[a] = set.pixels[b]
          pixels[b] = set.pixels[a]
        }
      }
    }
  }
  return { ...set, pixels }
}

function withoutClasses(labels: Int32Array, count: number, missing: number, seed: number): Int32Array {
  const classes = Array.from(new Set(labels)).toSorted((a, b) => a - b)
  const order = permutation(randomStream(seed, 'missing'), classes.length)
  const left = new Set(Array.from(order.subarray(missing), (at) => classes[at]))
  return draw(
    rowsWhere(labels, (label) => left.has(label)),
    count,
    seed,
  )
}

function oneClassMore(labels: Int32Array, count: number, share: number, seed: number): Int32Array {
  const classes = Array.from(new Set(labels)).toSorted((a, b) => a - b)
  const chosen = classes[integers(randomStream(seed, 'repeated'), classes.length, 1)[0]]
  const more = Math.round(share * count)
  const repeated = draw(
    rowsWhere(labels, (label) => label === chosen),
    more,
    seed + 1,
  )
  const others = draw(
    rowsWhere(labels, () => true),
    count - more,
    seed,
  )
  return Int32Array.from([...others, ...repeated])
}

/** The same pictures again and again: `share` is that of different ones. */
function fewPictures(labels: Int32Array, count: number, share: number, seed: number): Int32Array {
  const different = Math.max(1, Math.round(share * count))
  const rows = draw(
    rowsWhere(labels, () => true),
    different,
    seed,
  )
  return Int32Array.from({ length: count }, (_, i) => rows[i % different])
}

function rowsWhere(labels: Int32Array, holds: (label: number) => boolean): number[] {
  return Array.from(labels.keys()).filter((row) => holds(labels[row]))
}

/** Rows in random order; where there are too few, all of them again. */
function draw(rows: readonly number[], count: number, seed: number): Int32Array {
  const order = permutation(randomStream(seed, 'draw', rows.length), rows.length)
  return Int32Array.from({ length: count }, (_, i) => rows[order[i % rows.length]])
}

/** A value of the picture that begins at `first`; edges are repeated. */
function pixel(set: PictureSet, first: number, x: number, y: number, c: number): number {
  const inX = Math.min(Math.max(x, 0), set.width - 1)
  const inY = Math.min(Math.max(y, 0), set.height - 1)
  return set.pixels[first + (inY * set.width + inX) * 3 + c]
}

/** A set whose values are computed one by one, rounded and clamped to 0 .. 255. */
function eachValue(
  set: PictureSet,
  value: (at: number, x: number, y: number, c: number, first: number) => number,
): PictureSet {
  const pixels = new Uint8ClampedArray(set.pixels.length)
  for (let i = 0, at = 0; i < set.count; i++) {
    const first = at
    for (let y = 0; y < set.height; y++) {
      for (let x = 0; x < set.width; x++) {
        for (let c = 0; c < 3; c++, at++) pixels[at] = value(at, x, y, c, first)
      }
    }
  }
  return { ...set, pixels: new Uint8Array(pixels.buffer) }
}
