import type { Features } from '@dit/metrics'
import type { FeatureExtractor, Pictures } from '../extractor.js'
import { columnsOf, EDGES_WIDTH, LAYOUT_WIDTH, LEAST_SIDE } from './small-columns.js'

/** Changes whenever a number of any picture does. */
const FINGERPRINT = 'small-1'

const WIDTH = LAYOUT_WIDTH + EDGES_WIDTH
const LAYERS = [
  { name: 'all', width: WIDTH },
  { name: 'layout', width: LAYOUT_WIDTH },
  { name: 'edges', width: EDGES_WIDTH },
] as const

/** After this many pictures other work of the thread gets its turn. */
const TURN = 256

/**
 * An extractor for small pictures that needs no file: fixed filters, no network.
 *
 * A picture becomes 142 numbers. `layout` has 27: mean light on a grid of 4 x 4, two colour differences on 2 x 2, and the deviation of each
 * over the picture. `edges` has 115: for differences of neighbours, by pixels, pairs of pixels and on a grid of 8 x 8, the share of edges at
 * thresholds from 0.01 to 0.3 and their mean size. `all` has both. Each number is scaled by a constant to a deviation of about 1 over drawn and real
 * pictures of 28 to 64 pixels. It knows no objects: docs/evaluation-study.md measures what it sees and what not.
 *
 * Only + - * / and square roots in float64, rounded to float32 at the end: the same bits on every machine.
 *
 * @example
 * const { all } = await smallExtractor().extract({ count, height: 32, width: 32, pixels })
 */
export function smallExtractor(): FeatureExtractor {
  return {
    name: 'small',
    fingerprint: FINGERPRINT,
    layers: LAYERS,
    defaultLayer: 'all',
    logits: null,
    extract,
    dispose: () => {},
  }
}

async function extract(pictures: Pictures, layers: readonly string[] = ['all']): Promise<Record<string, Features>> {
  check(pictures, layers)
  const { count, height, width, pixels } = pictures
  const rows = new Float32Array(count * WIDTH)
  const write = columnsOf(height, width)
  for (let i = 0; i < count; i++) {
    if (i > 0 && i % TURN === 0) await new Promise((resume) => setTimeout(resume))
    write(pixels, i * height * width * 3, rows, i * WIDTH)
  }
  return Object.fromEntries(layers.map((layer) => [layer, columns(rows, count, layer)]))
}

function columns(rows: Float32Array, count: number, layer: string): Features {
  if (layer === 'all') return { shape: [count, WIDTH], data: rows.slice() }
  const [from, width] = layer === 'layout' ? [0, LAYOUT_WIDTH] : [LAYOUT_WIDTH, EDGES_WIDTH]
  const data = new Float32Array(count * width)
  for (let i = 0; i < count; i++) data.set(rows.subarray(i * WIDTH + from, i * WIDTH + from + width), i * width)
  return { shape: [count, width], data }
}

function check({ count, height, width, pixels }: Pictures, layers: readonly string[]): void {
  const who = 'smallExtractor'
  const unknown = layers.find((layer) => !LAYERS.some(({ name }) => name === layer))
  if (unknown !== undefined)
    throw new RangeError(`${who}: layers must be among ${LAYERS.map(({ name }) => name).join(', ')}; one is ${unknown}`)
  if (!(pixels instanceof Uint8Array)) throw new TypeError(`${who}: pixels must be a Uint8Array`)
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError(`${who}: count must be an integer of at least 0; it is ${count}`)
  if (!Number.isInteger(height) || !Number.isInteger(width) || height < LEAST_SIDE || width < LEAST_SIDE)
    throw new RangeError(
      `${who}: pictures must be at least ${LEAST_SIDE} x ${LEAST_SIDE}; they are ${height} x ${width}`,
    )
  if (pixels.length !== count * height * width * 3) {
    throw new RangeError(
      `${who}: ${count} RGB pictures of ${height} x ${width} need ${count * height * width * 3} bytes; there are ${pixels.length}`,
    )
  }
}
