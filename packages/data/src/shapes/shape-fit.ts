import { SHAPE_CLASSES, shapeMask } from './shape-mask.js'
import type { Placement, ShapeClass } from './shape-mask.js'

/** How well one class explains a picture, at the best place and size found for it. */
export interface ShapeFit extends Placement {
  readonly shape: ShapeClass
  /** share of the picture's variance explained by two flat colours with this shape between them, 0 to 1 */
  readonly explained: number
}

/** A picture, `[C, H, W]`, with the sums that every fit needs. */
interface Picture {
  readonly data: Float32Array
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly sums: Float64Array
  /** squared differences from the mean, summed over everything */
  readonly variation: number
}

/**
 * The best fit of every class, best first.
 *
 * A class is drawn at the place and size that the foreground's area and centroid suggest, then moved and resized in
 * shrinking steps while that explains more of the picture. For a drawn mask m, the best two flat colours follow from
 * linear regression of each channel p on m, and the explained share is
 *
 *   sum over channels of cov(p, m)^2 / var(m), over the sum of var(p)
 *
 * @returns one fit per class; empty when the picture is flat
 */
export function fitShapes(
  data: Float32Array,
  [channels, height, width]: readonly [number, number, number],
): ShapeFit[] {
  const picture = measure(data, channels, height, width)
  const blob = foreground(picture)
  if (blob === undefined) return []
  const mask = new Float32Array(height * width)
  return SHAPE_CLASSES.map((shape) => fitOne(picture, shape, blob, mask)).toSorted((a, b) => b.explained - a.explained)
}

/**
 * The two flat colours that, with `fit` between them, come closest to the picture.
 *
 * @returns `color` and `background`, one value per channel
 */
export function fitColors(
  data: Float32Array,
  [channels, height, width]: readonly [number, number, number],
  fit: ShapeFit,
): { color: number[]; background: number[] } {
  const picture = measure(data, channels, height, width)
  const mask = shapeMask(fit.shape, fit, height, width)
  const { slopes, mean } = regress(picture, mask)
  const background = slopes.map((slope, channel) => picture.sums[channel] / mask.length - slope * mean)
  return { background, color: slopes.map((slope, channel) => background[channel] + slope) }
}

function measure(data: Float32Array, channels: number, height: number, width: number): Picture {
  const area = height * width
  const sums = new Float64Array(channels)
  let squares = 0
  for (let channel = 0; channel < channels; channel++) {
    for (let i = channel * area; i < (channel + 1) * area; i++) {
      sums[channel] += data[i]
      squares += data[i] * data[i]
    }
  }
  const variation = squares - sums.reduce((total, sum) => total + (sum * sum) / area, 0)
  return { data, channels, height, width, sums, variation }
}

/**
 * How uneven the border of a picture is: the share of the picture's variance that would be there if every pixel
 * differed from its channel's mean as much as those of the outermost rows and columns do.
 */
export function borderUnevenness(
  data: Float32Array,
  [channels, height, width]: readonly [number, number, number],
): number {
  const { variation } = measure(data, channels, height, width)
  let squares = 0
  for (let channel = 0; channel < channels; channel++) {
    const border = borderValues(data, channel, height, width)
    const mean = border.reduce((sum, value) => sum + value, 0) / border.length
    squares += border.reduce((sum, value) => sum + (value - mean) ** 2, 0) / border.length
  }
  return (squares * height * width) / variation
}

interface Blob {
  /** all in pixels */
  readonly area: number
  readonly x: number
  readonly y: number
}

/** Area and centroid of what differs from the border, or undefined for a flat picture. */
function foreground({ data, channels, height, width }: Picture): Blob | undefined {
  const pixels = height * width
  const background = borderMedian(data, channels, height, width)
  // The main colour difference: the mean difference from the background, weighted by its own square.
  const direction = new Float64Array(channels)
  let total = 0
  for (let i = 0; i < pixels; i++) {
    let square = 0
    for (let c = 0; c < channels; c++) square += (data[c * pixels + i] - background[c]) ** 2
    for (let c = 0; c < channels; c++) direction[c] += square * (data[c * pixels + i] - background[c])
    total += square
  }
  const length = direction.reduce((sum, value) => sum + (value / total) ** 2, 0)
  if (!(length > 1e-6)) return undefined
  let area = 0
  let x = 0
  let y = 0
  for (let i = 0; i < pixels; i++) {
    let along = 0
    for (let c = 0; c < channels; c++) along += ((data[c * pixels + i] - background[c]) * direction[c]) / total
    const coverage = Math.min(along / length, 1)
    if (coverage < 0.2) continue
    area += coverage
    x += coverage * ((i % width) + 0.5)
    y += coverage * (Math.floor(i / width) + 0.5)
  }
  return area > 0 ? { area, x: x / area, y: y / area } : undefined
}

function borderMedian(data: Float32Array, channels: number, height: number, width: number): number[] {
  return Array.from({ length: channels }, (_, channel) => {
    const border = borderValues(data, channel, height, width).toSorted((a, b) => a - b)
    return border[border.length >> 1]
  })
}

function borderValues(data: Float32Array, channel: number, height: number, width: number): number[] {
  const border: number[] = []
  for (let row = 0; row < height; row++) {
    const step = row === 0 || row === height - 1 ? 1 : Math.max(1, width - 1)
    for (let column = 0; column < width; column += step) border.push(data[(channel * height + row) * width + column])
  }
  return border
}

const FIRST_STEP = 0.2
const LAST_STEP = 0.02

function fitOne(picture: Picture, shape: ShapeClass, blob: Blob, mask: Float32Array): ShapeFit {
  const { height, width } = picture
  const side = Math.min(height, width)
  const unit = unitBlob(shape)
  const radius = Math.sqrt(blob.area / unit.area)
  const attempt = (x: number, y: number, radius: number): ShapeFit => {
    const place = { x, y, radius }
    shapeMask(shape, place, height, width, mask)
    return { shape, ...place, explained: regress(picture, mask).explained }
  }
  let best = attempt((blob.x - unit.x * radius) / width, (blob.y - unit.y * radius) / height, radius / side)
  for (let step = FIRST_STEP; step > LAST_STEP; step /= 2) {
    for (let round = 0; round < 4; round++) {
      const before = best.explained
      const move = step * best.radius
      for (const [dx, dy, dr] of MOVES) {
        const next = attempt(best.x + dx * move, best.y + dy * move, best.radius + dr * move)
        if (next.explained > best.explained) best = next
      }
      if (best.explained === before) break
    }
  }
  return best
}

const MOVES = [
  [1, 0, 0],
  [-1, 0, 0],
  [0, 1, 0],
  [0, -1, 0],
  [0, 0, 1],
  [0, 0, -1],
] as const

/** Least squares of every channel on the mask: slope per channel, and the share of the variation it explains. */
function regress({ data, channels, sums, variation }: Picture, mask: Float32Array) {
  const pixels = mask.length
  let sum = 0
  let squares = 0
  for (let i = 0; i < pixels; i++) {
    sum += mask[i]
    squares += mask[i] * mask[i]
  }
  const mean = sum / pixels
  const spread = squares - sum * mean
  const slopes: number[] = []
  let explained = 0
  for (let channel = 0; channel < channels; channel++) {
    let product = 0
    for (let i = 0, at = channel * pixels; i < pixels; i++, at++) product += mask[i] * data[at]
    const together = product - mean * sums[channel]
    slopes.push(spread > 0 ? together / spread : 0)
    explained += spread > 0 ? (together * together) / spread : 0
  }
  return { slopes, mean, explained: explained / variation }
}

const unitBlobs = new Map<ShapeClass, Blob>()

/** Area and centroid of a class drawn with radius 1, from a fine drawing made once. */
function unitBlob(shape: ShapeClass): Blob {
  const known = unitBlobs.get(shape)
  if (known !== undefined) return known
  const side = 128
  const radius = side / 3
  const mask = shapeMask(shape, { x: 0.5, y: 0.5, radius: 1 / 3 }, side, side)
  let [area, x, y] = [0, 0, 0]
  mask.forEach((coverage, i) => {
    area += coverage
    x += coverage * ((i % side) + 0.5 - side / 2)
    y += coverage * (Math.floor(i / side) + 0.5 - side / 2)
  })
  const blob = { area: area / (radius * radius), x: x / area / radius, y: y / area / radius }
  unitBlobs.set(shape, blob)
  return blob
}
