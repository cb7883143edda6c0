import type { PictureData } from '@dit/pipeline'

/**
 * Pictures of one size side by side, in as square a grid as there can be; empty places are transparent.
 *
 * @param pictures RGBA, one at least
 */
export function gridOf(pictures: readonly PictureData[]): PictureData {
  const [{ width, height }] = pictures
  const columns = columnsOf(pictures.length)
  const rows = Math.ceil(pictures.length / columns)
  const data = new Uint8ClampedArray(columns * width * rows * height * 4)
  pictures.forEach((picture, i) => {
    const [left, top] = [(i % columns) * width, Math.floor(i / columns) * height]
    for (let y = 0; y < height; y++) {
      const row = picture.data.subarray(y * width * 4, (y + 1) * width * 4)
      data.set(row, ((top + y) * columns * width + left) * 4)
    }
  })
  return { width: columns * width, height: rows * height, data }
}

/** How many of some pictures stand side by side. */
export function columnsOf(count: number): number {
  return Math.ceil(Math.sqrt(count))
}
