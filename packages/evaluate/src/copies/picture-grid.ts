import type { Pictures } from '@dit/features'
import type { Evaluation } from '../evaluation.js'
import type { PictureSet } from '../sets/picture-set.js'
import { type EncodePng, pngUrl } from './png-url.js'

const COLUMNS = 10
const ROWS = 10
const GAP = 1
/** A place in the grid without a picture. */
const BLANK = -1

/** A grid of pictures of a set: a row of each of the first classes, or pictures spread over all where classes are not known. */
export async function pictureGrid(
  set: PictureSet,
  title: string,
  toPng: EncodePng,
): Promise<Evaluation['grids'][number]> {
  const tiles = shownPlaces(set)
  const pictures = await set.read(tiles.filter((place) => place !== BLANK))
  let read = 0
  return {
    title,
    ...(await sheet(
      pictures,
      tiles.map((place) => (place === BLANK ? BLANK : read++)),
      toPng,
    )),
  }
}

function shownPlaces({ count, labels, classNames }: PictureSet): number[] {
  if (labels === null)
    return spread(
      Array.from({ length: count }, (_, i) => i),
      COLUMNS * ROWS,
    )
  const members: number[][] = classNames.map(() => [])
  labels.forEach((label, place) => members[label].push(place))
  const filled = members.filter((places) => places.length > 0)
  const few = filled.slice(0, ROWS)
  return few.flatMap((places) => {
    const row = spread(places, COLUMNS)
    // A short row would shift the next.
    return [...row, ...Array.from({ length: COLUMNS - row.length }, () => BLANK)]
  })
}

function spread(places: readonly number[], most: number): number[] {
  const few = Math.min(most, places.length)
  return Array.from({ length: few }, (_, i) => places[Math.floor((i * places.length) / few)])
}

async function sheet({ height, width, pixels }: Pictures, tiles: readonly number[], toPng: EncodePng) {
  const columns = Math.min(COLUMNS, tiles.length)
  const rows = Math.ceil(tiles.length / columns)
  const [w, h] = [columns * (width + GAP) - GAP, rows * (height + GAP) - GAP]
  const data = new Uint8Array(w * h * 3).fill(255)
  for (const [at, n] of tiles.entries()) {
    if (n === BLANK) continue
    const [left, top] = [(at % columns) * (width + GAP), Math.floor(at / columns) * (height + GAP)]
    for (let y = 0; y < height; y++) {
      const from = (n * height + y) * width * 3
      data.set(pixels.subarray(from, from + width * 3), ((top + y) * w + left) * 3)
    }
  }
  return { picture: await pngUrl({ count: 1, width: w, height: h, pixels: data }, toPng), width: w, height: h }
}
