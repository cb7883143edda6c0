import type { Pictures, SamplingPlan } from '@dit/pipeline'
import { comfortableScale, gridPng } from '../plot/grid.js'
import { formatCount } from '../terminal/format.js'

/** What a grid shows at most; the rest is in single files and npz. */
export const GRID_MAX = { rows: 64, columns: 16, pixels: 2 ** 25 } as const

/** Which pictures a grid shows. */
export interface ShownPlan {
  readonly rows: number
  readonly columns: number
  /** Of the rows; empty where they are not classes. */
  readonly rowLabels: readonly string[]
  /** Pictures that are shown. */
  readonly count: number
  /** Place in the grid of a picture by its number among all; null where it is not shown. */
  tileOf(index: number): number | null
  /** What of all is shown, in words; null where it is all. */
  readonly text: string | null
}

/** Height and width of a picture. */
export interface PictureSize {
  readonly height: number
  readonly width: number
}

/**
 * Which pictures a grid shows: a row for each class, or all in order where their classes are drawn at random.
 *
 * @param nameOf name of a class
 */
export function shownPlan(
  { labels, classes, perClass }: Pick<SamplingPlan, 'labels' | 'classes' | 'perClass'>,
  size: PictureSize,
  nameOf: (label: number) => string,
): ShownPlan {
  const total = labels.length
  const columns = Math.min(perClass ?? total, GRID_MAX.columns)
  const tile = size.height * size.width * comfortableScale(size) ** 2
  const fitting = Math.max(1, Math.floor(GRID_MAX.pixels / (tile * columns)))
  const all = perClass === null ? Math.ceil(total / columns) : classes.length
  const rows = Math.min(all, GRID_MAX.rows, fitting)
  const count = Math.min(total, rows * columns)
  const text =
    count === total
      ? null
      : perClass === null
        ? `the first ${formatCount(count)} of ${formatCount(total)} pictures`
        : `the first ${columns} pictures of the first ${rows} classes`
  return {
    rows,
    columns,
    count,
    text,
    rowLabels: perClass === null ? [] : classes.slice(0, rows).map(nameOf),
    tileOf(index) {
      if (perClass === null) return index < count ? index : null
      const [row, column] = [Math.floor(index / perClass), index % perClass]
      return row < rows && column < columns ? row * columns + column : null
    },
  }
}

/** The pictures of a grid, as far as they are there. */
export interface ShownPictures {
  readonly plan: ShownPlan
  /** RGB of all tiles, one after another; grey where nothing is yet. */
  readonly pixels: Uint8Array
  /** Puts pictures in their places, the first of which has the number `first` among all; returns the tiles that they took. */
  put(pictures: Pictures, first: number): number[]
  /** The grid, PNG, with some pictures laid over those that are there. */
  png(over?: { readonly pictures: Pictures; readonly first: number }): Promise<Buffer>
}

/** Holds the pictures of a grid. */
export function shownPictures(plan: ShownPlan, { height, width }: PictureSize): ShownPictures {
  const size = height * width * 3
  const pixels = new Uint8Array(plan.count * size).fill(128)
  const putInto = (target: Uint8Array, pictures: Pictures, first: number) => {
    const tiles: number[] = []
    for (let i = 0; i < pictures.count; i++) {
      const tile = plan.tileOf(first + i)
      if (tile === null) continue
      target.set(pictures.pixels.subarray(i * size, (i + 1) * size), tile * size)
      tiles.push(tile)
    }
    return tiles
  }
  return {
    plan,
    pixels,
    put: (pictures, first) => putInto(pixels, pictures, first),
    async png(over) {
      const seen = over === undefined ? pixels : pixels.slice()
      if (over !== undefined) putInto(seen, over.pictures, over.first)
      const { columns, rowLabels, count } = plan
      return gridPng(
        { count, height, width, pixels: seen },
        { columns, rowLabels, scale: comfortableScale({ height, width }) },
      )
    },
  }
}
