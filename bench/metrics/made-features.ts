import { closeSync, openSync, writeSync } from 'node:fs'
import { integers, normals, randomStream } from '@dit/random'

/** Sizes of two sets of features, and how they are distributed. */
export interface MadeSets {
  readonly count: number
  readonly width: number
  /**
   * `pooled`: positive, correlated and heavy-tailed, as Inception's pooled features. `collapsed`: so are the real ones; the generated ones
   * are near copies of a few of them, nearer to each other than float32 products can tell apart.
   */
  readonly kind: 'pooled' | 'collapsed'
}

/** Independent directions behind the features, the first the strongest. */
const DIRECTIONS = 32
/** Near copies of each of the pictures that a collapsed generator still makes. */
const COPIES = 100
/** How far they lie apart, relative to the features. */
const COPY_NOISE = 2e-3

/**
 * Writes `[count, width]` float32 numbers to either file, row by row. Logarithms of features are normal, 32 shared directions with
 * variances falling as 1 / r beside noise of their own, which comes from a pool of draws at random offsets.
 */
export function writeSets({ count, width, kind }: MadeSets, realFile: string, generatedFile: string): void {
  const loadings = normals(randomStream(0, 'loadings'), DIRECTIONS * width)
  for (let r = 0; r < DIRECTIONS; r++) {
    for (let j = 0; j < width; j++) loadings[r * width + j] *= 0.45 / Math.sqrt(1 + r)
  }
  const pool = normals(randomStream(0, 'pool'), 2 ** 21 + width)
  const own = (stream: number) => integers(randomStream(stream, 'offsets'), count, 2 ** 21)
  const pooled = (set: number, shift: number) => {
    const offsets = own(set)
    return (i: number, row: Float32Array) => {
      const z = normals(randomStream(set, 'row', i), DIRECTIONS)
      row.fill(-1.2)
      for (let r = 0; r < DIRECTIONS; r++) {
        const factor = z[r] + shift * (r / DIRECTIONS - 0.5)
        for (let j = 0, at = r * width; j < width; j++, at++) row[j] += factor * loadings[at]
      }
      for (let j = 0; j < width; j++) row[j] = Math.exp(row[j] + 0.6 * pool[offsets[i] + j])
    }
  }
  const real = pooled(1, 0)
  writeRows(realFile, count, width, real)
  if (kind === 'pooled') return writeRows(generatedFile, count, width, pooled(2, 0.3))
  const offsets = own(3)
  writeRows(generatedFile, count, width, (i, row) => {
    real(Math.floor(i / COPIES), row)
    for (let j = 0; j < width; j++) row[j] *= 1 + COPY_NOISE * pool[offsets[i] + j]
  })
}

function writeRows(file: string, count: number, width: number, fill: (i: number, row: Float32Array) => void): void {
  const handle = openSync(file, 'w')
  try {
    const row = new Float32Array(width)
    for (let i = 0; i < count; i++) {
      fill(i, row)
      writeSync(handle, row)
    }
  } finally {
    closeSync(handle)
  }
}
