import { GRID } from './canvas.js'
import { SPRITE_CLASSES, type SpriteClass } from './sprite-classes.js'
import { brightnessOf, fitSprites, measurePicture } from './sprite-fit.js'

/** What the recogniser made of a picture. `explained`, `lead` and `lineContrast` describe the best fit, even under 'none'. */
export interface RecognisedSprite {
  readonly sprite: SpriteClass | 'none'
  /** index in `SPRITE_CLASSES`, or -1 for 'none' */
  readonly label: number
  /** index of the class whose best drawing comes nearest, however badly; -1 where none explains anything */
  readonly nearest: number
  /** share of the picture's variance that the best drawing explains with one colour a region, 0 to 1 */
  readonly explained: number
  /** how many times as much the best drawing of another class leaves unexplained, 1 or more */
  readonly lead: number
  /** how much darker the outlines are than ground and fillings, in the pictures' [-1, 1] scale */
  readonly lineContrast: number
}

/** A drawing must explain this much of the picture. */
const MIN_EXPLAINED = 0.6
/** The best drawing of another class must leave this many times as much unexplained. */
const MIN_LEAD = 1.8
/** Outlines must be this much darker than both ground and fillings. */
const MIN_LINE_CONTRAST = 0.52

const NONE: RecognisedSprite = { sprite: 'none', label: -1, nearest: -1, explained: 0, lead: 1, lineContrast: 0 }

/**
 * Which sprite of `SPRITE_CLASSES` a picture shows, by rule: each likely class is drawn with the choices of form that fit
 * the picture best, whatever its colours, and the class that explains most of it wins. The answer is 'none' unless the
 * drawing explains at least 60 % of the picture's variance, the best drawing of another class leaves at least 1.8 times
 * as much unexplained, and the outlines are darker by 0.52 than the ground and what they enclose. So noise, empty
 * pictures, blurred averages, blends and halves of two classes are 'none'. Nothing here is learned from data.
 *
 * @param image  `[3, 32, 32]`, float32 in [-1, 1]
 * @throws RangeError when `image` does not hold 3 x 32 x 32 values
 */
export function recogniseSprite(image: Float32Array): RecognisedSprite {
  if (image.length !== 3 * GRID * GRID) {
    throw new RangeError(
      `recogniseSprite: image must hold 3 x ${GRID} x ${GRID} values (${image.length} values); take every k-th pixel of a larger picture`,
    )
  }
  const picture = measurePicture(image)
  const [best, second] = fitSprites(picture)
  if (best === undefined || second === undefined) return NONE
  const { line, ground, fill } = brightnessOf(picture, best)
  const lead = (1 - second.explained) / Math.max(1e-6, 1 - best.explained)
  const lineContrast = Math.min(ground, fill) - line
  const isClear = best.explained >= MIN_EXPLAINED && lead >= MIN_LEAD && lineContrast >= MIN_LINE_CONTRAST
  return {
    sprite: isClear ? best.sprite : 'none',
    label: isClear ? SPRITE_CLASSES.indexOf(best.sprite) : -1,
    nearest: SPRITE_CLASSES.indexOf(best.sprite),
    explained: best.explained,
    lead,
    lineContrast,
  }
}
