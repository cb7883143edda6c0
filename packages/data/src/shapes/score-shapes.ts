import { recogniseShape } from './recognise-shape.js'
import { SHAPE_CLASSES } from './shape-mask.js'
import type { ShapeClass } from './shape-mask.js'

/** How often pictures show the class asked for, and how varied they are. */
export interface ShapesScore {
  /** number of pictures */
  readonly count: number
  /** share of the pictures recognised as the class asked for; 'none' counts as wrong */
  readonly right: number
  /** share of the pictures recognised as no class */
  readonly none: number
  /** the same for each class that was asked for at least once */
  readonly perClass: readonly { readonly shape: ShapeClass; readonly count: number; readonly right: number }[]
  /** variety of the recognised pictures; 0 when fewer than two were recognised */
  readonly spread: ShapesSpread
}

/**
 * Standard deviations within a class (each measured from its class's mean, then pooled), so that six memorised pictures
 * have no spread.
 */
export interface ShapesSpread {
  /** of the centre, as a fraction of the side, root mean square of x and y */
  readonly position: number
  /** of the radius, as a fraction of the side */
  readonly size: number
  /** of the shape's colour, root mean square over the channels, in the pictures' [-1, 1] scale */
  readonly color: number
}

/**
 * Scores pictures against the classes asked for, with the rule of `recogniseShape`. The spread is measured within the
 * recognised class, over the recognised pictures, right or wrong.
 *
 * @param images        `[B, C, H, W]`, float32 in [-1, 1]
 * @param askedClasses  `[B]`, labels
 * @param shape         `[C, H, W]` of one picture
 * @throws RangeError when the counts do not agree or a label is out of range
 */
export function scoreShapes(
  images: Float32Array,
  askedClasses: ArrayLike<number>,
  shape: readonly [channels: number, height: number, width: number],
): ShapesScore {
  const count = askedClasses.length
  const pixels = shape[0] * shape[1] * shape[2]
  if (images.length !== count * pixels) {
    throw new RangeError(
      `scoreShapes: images must hold B C H W values (${images.length} values for [${[count, ...shape].join(', ')}])`,
    )
  }
  const seen = Array.from({ length: count }, (_, row) => {
    const asked = askedClasses[row]
    if (SHAPE_CLASSES[asked] === undefined) {
      throw new RangeError(
        `scoreShapes: a label must be from 0 to ${SHAPE_CLASSES.length - 1} (label ${row} is ${asked})`,
      )
    }
    return { asked, ...recogniseShape(images.subarray(row * pixels, (row + 1) * pixels), shape) }
  })
  const share = (rows: typeof seen, test: (row: (typeof seen)[number]) => boolean) =>
    rows.length === 0 ? 0 : rows.filter(test).length / rows.length
  const perClass = SHAPE_CLASSES.map((name, label) => {
    const rows = seen.filter((row) => row.asked === label)
    return { shape: name, count: rows.length, right: share(rows, (row) => row.label === label) }
  })
  const groups = SHAPE_CLASSES.map((_, label) => seen.filter((row) => row.label === label))
  const spreadOf = (pick: (row: (typeof seen)[number]) => readonly number[]) =>
    pooledDeviation(groups.map((rows) => rows.map(pick)))
  return {
    count,
    right: share(seen, (row) => row.label === row.asked),
    none: share(seen, (row) => row.label === -1),
    perClass: perClass.filter((row) => row.count > 0),
    spread: {
      position: spreadOf((row) => row.position),
      size: spreadOf((row) => [row.size]),
      color: spreadOf((row) => row.color),
    },
  }
}

/** Root mean square deviation from the group's mean, without bias: groups of one add nothing and count for nothing. */
function pooledDeviation(groups: readonly (readonly (readonly number[])[])[]): number {
  let squares = 0
  let freedom = 0
  for (const rows of groups) {
    const width = rows[0]?.length ?? 0
    for (let k = 0; k < width; k++) {
      const mean = rows.reduce((sum, row) => sum + row[k], 0) / rows.length
      for (const row of rows) squares += (row[k] - mean) ** 2
    }
    freedom += Math.max(0, rows.length - 1) * width
  }
  return freedom > 0 ? Math.sqrt(squares / freedom) : 0
}
