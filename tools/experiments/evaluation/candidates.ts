import { areaMeans, type Plane } from '../../../packages/features/src/small/area-means.js'
import { smallExtractor } from '@dit/features'
import type { Features } from '@dit/metrics'
import { normals, randomStream } from '@dit/random'
import type { PictureSet } from './picture-set.js'

/** Numbers that were tried: features, or some of their columns. */
export interface Candidate {
  readonly name: string
  readonly source: keyof typeof SOURCES
  readonly keeps?: (column: number) => boolean
  /** Sets that it is tried on; all by default. */
  readonly sets?: readonly string[]
}

/** Where numbers come from. None needs a file. */
export const SOURCES = {
  small: async (set: PictureSet): Promise<Features> => (await smallExtractor().extract(set)).all,
  grey: async (set: PictureSet): Promise<Features> => each(set, 64, greyPicture(set)),
  random: async (set: PictureSet): Promise<Features> => each(set, 112, randomNetwork(set)),
} as const

/** Columns of `small`: the 5 statistics of each filter are the shares at 4 thresholds and the mean size. */
const [LAYOUT, STATISTICS] = [27, 5]
/** Where parts and rivals are tried. */
const TWO = ['fashion', 'heroes']
const isSize = (column: number) => (column - LAYOUT) % STATISTICS === STATISTICS - 1

/** `small`, its parts, and what it was chosen from. */
export const CANDIDATES: readonly Candidate[] = [
  { name: 'small', source: 'small' },
  { name: 'small, layout only', source: 'small', keeps: (j) => j < LAYOUT, sets: TWO },
  { name: 'small, edges only', source: 'small', keeps: (j) => j >= LAYOUT, sets: TWO },
  { name: 'small, without thresholds', source: 'small', keeps: (j) => j < LAYOUT || isSize(j), sets: TWO },
  { name: 'small, without sizes', source: 'small', keeps: (j) => j < LAYOUT || !isSize(j), sets: TWO },
  { name: 'grey 8 x 8', source: 'grey', sets: TWO },
  { name: 'random convolutions', source: 'random', sets: TWO },
]

/** The columns that a candidate keeps. */
export function columnsOf(features: Features, keeps: (column: number) => boolean = () => true): Features {
  const [count, width] = features.shape
  const kept = Array.from({ length: width }, (_, j) => j).filter(keeps)
  const data = new Float32Array(count * kept.length)
  for (let i = 0; i < count; i++) kept.forEach((j, to) => (data[i * kept.length + to] = features.data[i * width + j]))
  return { shape: [count, kept.length], data }
}

type OfPicture = (channels: readonly Plane[]) => readonly number[]

function each(set: PictureSet, width: number, ofPicture: OfPicture): Features {
  const area = set.height * set.width
  const data = new Float32Array(set.count * width)
  const planes = [0, 1, 2].map(() => ({ height: set.height, width: set.width, data: new Float64Array(area) }))
  for (let i = 0; i < set.count; i++) {
    planes.forEach((plane, c) => {
      for (let p = 0; p < area; p++) plane.data[p] = set.pixels[(i * area + p) * 3 + c] / 127.5 - 1
    })
    data.set(ofPicture(planes), i * width)
  }
  return { shape: [set.count, width], data }
}

/** Mean grey of 64 cells, in units of its usual deviation. */
function greyPicture(set: PictureSet): OfPicture {
  const means = areaMeans([set.height, set.width], 8, 8)
  return ([red, green, blue]) => {
    const grey = red.data.map((value, p) => (value + green.data[p] + blue.data[p]) / 3)
    return Array.from(means({ ...red, data: grey }).data, (value) => value / 0.4)
  }
}

/**
 * Three layers of 3 x 3 convolutions with normal weights, 16, 32 and 64 wide, ReLU after each, halving between: means of all channels. Every other
 * filter sums to 0.
 */
function randomNetwork(set: PictureSet): OfPicture {
  const widths = [3, 16, 32, 64]
  const layers = widths.slice(1).map((outputs, l) => {
    const inputs = widths[l]
    const weights = Float64Array.from(normals(randomStream(0, 'network', l), outputs * inputs * 9))
    for (let o = 0; o < outputs; o++) {
      const filter = weights.subarray(o * inputs * 9, (o + 1) * inputs * 9)
      const shift = o % 2 === 0 ? filter.reduce((a, b) => a + b, 0) / filter.length : 0
      for (let j = 0; j < filter.length; j++) filter[j] = (filter[j] - shift) * Math.sqrt(2 / filter.length)
    }
    return { outputs, weights }
  })
  const sizes = layers.reduce(
    (list) => [...list, list.at(-1)!.map((side) => (side - 2) >> 1)],
    [[set.height, set.width]],
  )
  const halves = layers.map((_, l) => areaMeans([sizes[l][0] - 2, sizes[l][1] - 2], sizes[l + 1][0], sizes[l + 1][1]))
  return (channels) => {
    let planes: readonly Plane[] = channels
    return layers.flatMap(({ outputs, weights }, l) => {
      const maps = Array.from({ length: outputs }, (_, o) => convolve(planes, weights, o))
      planes = maps.map((map) => ({ ...halves[l](map), data: halves[l](map).data.slice() }))
      return maps.map(({ data }) => (4 * data.reduce((a, b) => a + b, 0)) / data.length)
    })
  }
}

function convolve(planes: readonly Plane[], weights: Float64Array, output: number): Plane {
  const { height, width } = planes[0]
  const [h, w] = [height - 2, width - 2]
  const out = new Float64Array(h * w)
  planes.forEach(({ data }, i) => {
    const [a, b, c, d, e, f, g, k, m] = weights.subarray((output * planes.length + i) * 9)
    for (let y = 0; y < h; y++) {
      for (let x = 0, at = y * width; x < w; x++, at++) {
        const [below, under] = [at + width, at + 2 * width]
        out[y * w + x] +=
          a * data[at] +
          b * data[at + 1] +
          c * data[at + 2] +
          d * data[below] +
          e * data[below + 1] +
          f * data[below + 2]
        out[y * w + x] += g * data[under] + k * data[under + 1] + m * data[under + 2]
      }
    }
  })
  for (let p = 0; p < out.length; p++) out[p] = Math.max(0, out[p])
  return { height: h, width: w, data: out }
}
