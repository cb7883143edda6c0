import { GRID } from './canvas.js'
import { recogniseSprite } from './recognise-sprite.js'
import { SPRITE_CLASSES, type SpriteClass } from './sprite-classes.js'

/** How often pictures show the class asked for, and how varied they are. */
export interface SpritesScore {
  /** number of pictures */
  readonly count: number
  /** share of the pictures recognised as the class asked for; 'none' counts as wrong */
  readonly right: number
  /** share of the pictures recognised as no class */
  readonly none: number
  /** share of the pictures that come nearest to the class asked for, however badly drawn; an eighth would be chance */
  readonly nearest: number
  /** the same for each class that was asked for at least once */
  readonly perClass: readonly {
    readonly sprite: SpriteClass
    readonly count: number
    readonly right: number
    readonly nearest: number
  }[]
  /**
   * Root mean square difference of pictures from the mean picture of those that come nearest to the same class, over all values and
   * without bias; 0 for memorised copies of one picture a class
   */
  readonly spread: number
}

/**
 * Scores pictures against the classes asked for, with the rule of `recogniseSprite`.
 *
 * @param images        `[B, 3, 32, 32]`, float32 in [-1, 1]
 * @param askedClasses  `[B]`, labels
 * @throws RangeError when the counts do not agree or a label is out of range
 */
export function scoreSprites(images: Float32Array, askedClasses: ArrayLike<number>): SpritesScore {
  const count = askedClasses.length
  const pixels = 3 * GRID * GRID
  if (images.length !== count * pixels) {
    throw new RangeError(
      `scoreSprites: images must hold B x 3 x ${GRID} x ${GRID} values (${images.length} values for ${count} labels)`,
    )
  }
  const seen = Array.from({ length: count }, (_, row) => {
    const asked = askedClasses[row]
    if (SPRITE_CLASSES[asked] === undefined) {
      throw new RangeError(
        `scoreSprites: a label must be from 0 to ${SPRITE_CLASSES.length - 1} (label ${row} is ${asked})`,
      )
    }
    const image = images.subarray(row * pixels, (row + 1) * pixels)
    const { label, nearest } = recogniseSprite(image)
    return { asked, image, label, nearest }
  })
  const share = (rows: typeof seen, test: (row: (typeof seen)[number]) => boolean) =>
    rows.length === 0 ? 0 : rows.filter(test).length / rows.length
  const perClass = SPRITE_CLASSES.map((sprite, label) => {
    const rows = seen.filter((row) => row.asked === label)
    const [right, nearest] = [share(rows, (row) => row.label === label), share(rows, (row) => row.nearest === label)]
    return { sprite, count: rows.length, right, nearest }
  })
  return {
    count,
    right: share(seen, (row) => row.label === row.asked),
    none: share(seen, (row) => row.label === -1),
    nearest: share(seen, (row) => row.nearest === row.asked),
    perClass: perClass.filter((row) => row.count > 0),
    spread: pooledSpread(
      SPRITE_CLASSES.map((_, label) => seen.filter((row) => row.nearest === label).map(({ image }) => image)),
    ),
  }
}

/** Root mean square deviation from the group's mean picture, without bias: groups of one count for nothing. */
function pooledSpread(groups: readonly (readonly Float32Array[])[]): number {
  let squares = 0
  let freedom = 0
  for (const images of groups) {
    if (images.length < 2) continue
    for (let i = 0; i < images[0].length; i++) {
      const mean = images.reduce((sum, image) => sum + image[i], 0) / images.length
      for (const image of images) squares += (image[i] - mean) * (image[i] - mean)
    }
    freedom += (images.length - 1) * images[0].length
  }
  return freedom > 0 ? Math.sqrt(squares / freedom) : 0
}
