import { areaMeans, type Plane } from './area-means.js'
import { edgeStatistics, FILTERS, NUM_STATISTICS } from './edge-statistics.js'
import { COLOUR_EDGE_SCALES, type ColumnScale, LAYOUT_SCALES, LIGHT_EDGE_SCALES } from './scales.js'

/** Side of the grid of light, and of that of both colours. */
const [LIGHT_GRID, COLOUR_GRID] = [4, 2]
/** Side of the coarsest level. */
const COARSE = 8
const NUM_LEVELS = 3
/** Colours are smooth: two filters, on the finest two levels. */
const [COLOUR_FILTERS, COLOUR_LEVELS] = [2, 2]

const LIGHT_CELLS = LIGHT_GRID * LIGHT_GRID
const COLOUR_CELLS = COLOUR_GRID * COLOUR_GRID

/** Numbers of the layout: means of cells, and the deviation of each channel. */
export const LAYOUT_WIDTH = LIGHT_CELLS + 2 * COLOUR_CELLS + 3
/** Numbers of the edges. */
export const EDGES_WIDTH = NUM_STATISTICS * (NUM_LEVELS * FILTERS.length + 2 * COLOUR_LEVELS * COLOUR_FILTERS)

/** Of the smallest picture: its half still has a pixel with neighbours on all sides. */
export const LEAST_SIDE = 8

/** Where the numbers of a picture begin: `at` counts pixels of the array, `to` numbers of the row. */
export type WriteColumns = (pixels: Uint8Array, at: number, out: Float32Array, to: number) => void

/** A function that writes the numbers of one picture of a size, the layout and then the edges. */
export function columnsOf(height: number, width: number): WriteColumns {
  const planes = [0, 1, 2].map(() => ({ height, width, data: new Float64Array(height * width) }))
  const size = [height, width] as const
  const lightGrid = areaMeans(size, LIGHT_GRID, LIGHT_GRID)
  const colourGrid = areaMeans(size, COLOUR_GRID, COLOUR_GRID)
  const half = areaMeans(size, height >> 1, width >> 1)
  const coarse = areaMeans(size, COARSE, COARSE)
  const raw = new Float64Array(LAYOUT_WIDTH + EDGES_WIDTH)
  return (pixels, at, out, to) => {
    channels(pixels, at, planes)
    const [light, ...colours] = planes
    raw.set(lightGrid(light).data, 0)
    colours.forEach((plane, c) => raw.set(colourGrid(plane).data, LIGHT_CELLS + c * COLOUR_CELLS))
    planes.forEach((plane, c) => (raw[LIGHT_CELLS + 2 * COLOUR_CELLS + c] = deviation(plane)))
    let next = LAYOUT_WIDTH
    for (const level of [() => light, () => half(light), () => coarse(light)]) {
      edgeStatistics(level(), FILTERS.length, raw, next)
      next += FILTERS.length * NUM_STATISTICS
    }
    for (const plane of colours) {
      for (const level of [() => plane, () => half(plane)]) {
        edgeStatistics(level(), COLOUR_FILTERS, raw, next)
        next += COLOUR_FILTERS * NUM_STATISTICS
      }
    }
    for (let j = 0; j < raw.length; j++) out[to + j] = (raw[j] - SCALES[j].centre) / SCALES[j].spread
  }
}

/**
 * Light and two differences of colours, from bytes:
 *
 *   light = (R + G + B) / 3        R - G        (R + G) / 2 - B        all divided by 255
 */
function channels(pixels: Uint8Array, at: number, [light, redGreen, yellowBlue]: readonly Plane[]): void {
  for (let p = 0, i = at; p < light.data.length; p++, i += 3) {
    const [red, green, blue] = [pixels[i], pixels[i + 1], pixels[i + 2]]
    light.data[p] = (red + green + blue) / 765
    redGreen.data[p] = (red - green) / 255
    yellowBlue.data[p] = (red + green - 2 * blue) / 510
  }
}

function deviation({ data }: Plane): number {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i]
  const mean = sum / data.length
  let squares = 0
  for (let i = 0; i < data.length; i++) squares += (data[i] - mean) * (data[i] - mean)
  return Math.sqrt(squares / data.length)
}

/** Of each column, in order. */
const SCALES: readonly ColumnScale[] = [
  ...repeat(LAYOUT_SCALES.light, LIGHT_CELLS),
  ...repeat(LAYOUT_SCALES.redGreen, COLOUR_CELLS),
  ...repeat(LAYOUT_SCALES.yellowBlue, COLOUR_CELLS),
  ...LAYOUT_SCALES.deviations,
  ...LIGHT_EDGE_SCALES.flatMap((level) => FILTERS.flatMap(() => level)),
  ...[0, 1].flatMap(() => COLOUR_EDGE_SCALES.flatMap((level) => [...level, ...level])),
]

function repeat(scale: ColumnScale, count: number): ColumnScale[] {
  return Array.from({ length: count }, () => scale)
}
