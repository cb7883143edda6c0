import { randomStream, uniforms } from '@dit/random'
import { SHAPE_CLASSES, shapeMask } from './shape-mask.js'
import type { ShapeClass } from './shape-mask.js'

/** Red, green and blue, each in [-1, 1]. */
export type Color = readonly [red: number, green: number, blue: number]

/** Everything that decides one generated picture. */
export interface ShapeDrawing {
  readonly shape: ShapeClass
  /** index of `shape` in `SHAPE_CLASSES` */
  readonly label: number
  /** centre, as fractions of the picture's side from the top left corner */
  readonly position: readonly [x: number, y: number]
  /** radius, as a fraction of the picture's side */
  readonly radius: number
  readonly color: Color
  readonly background: Color
}

const MIN_RADIUS = 0.24
const MAX_RADIUS = 0.38
/** Free border around a shape, so that the outermost pixels always show background. */
const MARGIN = 0.05

/**
 * The drawing of example `index` of the dataset with this seed.
 *
 * Classes take turns (`label = index mod 6`). Radius is uniform in [0.24, 0.38] of the side, the centre uniform over
 * all places that keep the shape inside; the shape has a bright, saturated colour of any hue, the background a dark, dull
 * one of any hue, so that the two are always well apart.
 *
 * @throws RangeError when `index` is not a non-negative integer
 */
export function shapeDrawing(seed: number, index: number): ShapeDrawing {
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new RangeError(`shapeDrawing: index must be a non-negative integer (index is ${index})`)
  }
  const draws = uniforms(randomStream(seed, 'shapes', index), 8)
  const draw = (k: number, low: number, high: number) => low + (high - low) * draws[k]
  const label = index % SHAPE_CLASSES.length
  const radius = draw(0, MIN_RADIUS, MAX_RADIUS)
  return {
    shape: SHAPE_CLASSES[label],
    label,
    position: [draw(1, radius + MARGIN, 1 - radius - MARGIN), draw(2, radius + MARGIN, 1 - radius - MARGIN)],
    radius,
    color: hsvToColor(draws[3], draw(4, 0.75, 1), draw(5, 0.8, 1)),
    background: hsvToColor(draws[6], 0.5, draw(7, 0.1, 0.35)),
  }
}

/**
 * Paints a drawing.
 *
 * @returns the picture, `[3, size, size]`, float32 in [-1, 1]
 * @throws RangeError when `size` is not an integer of at least 4
 */
export function drawShape(drawing: ShapeDrawing, size: number): Float32Array {
  if (!Number.isSafeInteger(size) || size < 4) {
    throw new RangeError(`drawShape: size must be an integer of at least 4 (size is ${size})`)
  }
  const [x, y] = drawing.position
  const mask = shapeMask(drawing.shape, { x, y, radius: drawing.radius }, size, size)
  const picture = new Float32Array(3 * mask.length)
  for (let channel = 0; channel < 3; channel++) {
    const behind = drawing.background[channel]
    const step = drawing.color[channel] - behind
    for (let i = 0; i < mask.length; i++) picture[channel * mask.length + i] = behind + step * mask[i]
  }
  return picture
}

/** Hue, saturation and value in [0, 1] to a colour in [-1, 1]. */
function hsvToColor(hue: number, saturation: number, value: number): Color {
  const channel = (offset: number) => {
    const k = (offset + hue * 6) % 6
    return 2 * (value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1))) - 1
  }
  return [channel(5), channel(3), channel(1)]
}
