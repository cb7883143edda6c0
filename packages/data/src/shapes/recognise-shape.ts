import { borderUnevenness, fitColors, fitShapes } from './shape-fit.js'
import { SHAPE_CLASSES } from './shape-mask.js'
import type { ShapeClass } from './shape-mask.js'

/** What the recogniser made of a picture. All but `shape` and `label` describe the best fit, even under 'none'. */
export interface RecognisedShape {
  readonly shape: ShapeClass | 'none'
  /** index in `SHAPE_CLASSES`, or -1 for 'none' */
  readonly label: number
  /** centre, as fractions of width and height from the top left corner */
  readonly position: readonly [x: number, y: number]
  /** radius, as a fraction of the shorter side */
  readonly size: number
  /** colour of the shape, one value per channel */
  readonly color: readonly number[]
  /** share of the picture's variance that one flat shape on a flat background explains, 0 to 1 */
  readonly explained: number
}

/** A shape must explain this much of the picture, less the noise. */
const MIN_EXPLAINED = 0.82
/** The runner-up must leave this many times as much unexplained as the winner, less the noise. */
const MIN_LEAD = 2
/** At most this share of what the winner leaves unexplained is put down to noise. */
const MAX_NOISE = 0.6
/** But with its noise, too, a shape must explain this much of the picture. */
const MIN_EXPLAINED_NOISY = 0.65
/** The two colours must be this far apart (root of the sum of squares, of at most 2 sqrt(C)). */
const MIN_CONTRAST = 0.4
const MIN_SIZE = 0.1
const MAX_SIZE = 0.5

/**
 * Which shape of `SHAPE_CLASSES` a picture shows, by rule: each class is drawn at the place, size and two colours that
 * fit the picture best, and the class that explains most of it wins. The answer is 'none' unless the winner explains at
 * least 82 % of the picture's variance, the runner-up leaves at least twice as much unexplained, the two colours
 * differ clearly, the radius is between 0.1 and 0.5 of the side and the centre lies inside. Slight noise, measured at
 * the picture's border, is not held against the winner: it is taken off what both leave unexplained, up to 60 % of it
 * and as long as the winner explains 65 %. So noise, empty pictures, two shapes in one picture and blends of classes are
 * 'none'. Nothing here is learned from data.
 *
 * @param image  `[C, H, W]`, float32 in [-1, 1]
 * @param shape  `[C, H, W]` of `image`
 * @throws RangeError when `image` does not hold C H W values
 */
export function recogniseShape(
  image: Float32Array,
  shape: readonly [channels: number, height: number, width: number],
): RecognisedShape {
  const [channels, height, width] = shape
  if (image.length !== channels * height * width) {
    throw new RangeError(
      `recogniseShape: image must hold C H W values (${image.length} values for [${shape.join(', ')}])`,
    )
  }
  const [best, second] = fitShapes(image, shape)
  if (best === undefined || second === undefined) {
    return { shape: 'none', label: -1, position: [0.5, 0.5], size: 0, color: [], explained: 0 }
  }
  const { color, background } = fitColors(image, shape, best)
  const contrast = Math.hypot(...color.map((value, channel) => value - background[channel]))
  const noise = Math.min(borderUnevenness(image, shape), MAX_NOISE * (1 - best.explained))
  const isClear =
    best.explained >= MIN_EXPLAINED_NOISY &&
    best.explained + noise >= MIN_EXPLAINED &&
    1 - second.explained - noise >= MIN_LEAD * (1 - best.explained - noise) &&
    contrast >= MIN_CONTRAST &&
    best.radius >= MIN_SIZE &&
    best.radius <= MAX_SIZE &&
    Math.min(best.x, best.y, 1 - best.x, 1 - best.y) > 0
  return {
    shape: isClear ? best.shape : 'none',
    label: isClear ? SHAPE_CLASSES.indexOf(best.shape) : -1,
    position: [best.x, best.y],
    size: best.radius,
    color,
    explained: best.explained,
  }
}
