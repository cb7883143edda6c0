/** One channel of a picture. */
export interface Plane {
  readonly height: number
  readonly width: number
  /** Row-major. */
  readonly data: Float64Array
}

/** How the pixels of a line make fewer ones: each takes a run of them. */
interface Run {
  readonly start: number
  readonly weights: Float64Array
}

/** Means over cells of equal size, of planes of one size. Cells may share pixels; where they are smaller than pixels, several lie in one. */
export type AreaMeans = (plane: Plane) => Plane

/**
 * A function that makes planes of `height` by `width` cells of planes of another size, in memory that the next call takes again.
 *
 * Additions and products in float64 in a fixed order: the same bits everywhere.
 */
export function areaMeans(from: readonly [number, number], height: number, width: number): AreaMeans {
  const rows = runs(from[0], height)
  const columns = runs(from[1], width)
  const across = new Float64Array(from[0] * width)
  const result = { height, width, data: new Float64Array(height * width) }
  return ({ data }) => {
    for (let y = 0; y < from[0]; y++) {
      for (let x = 0; x < width; x++) {
        const { start, weights } = columns[x]
        let sum = 0
        for (let i = 0; i < weights.length; i++) sum += weights[i] * data[y * from[1] + start + i]
        across[y * width + x] = sum
      }
    }
    result.data.fill(0)
    for (let y = 0; y < height; y++) {
      const { start, weights } = rows[y]
      for (let i = 0; i < weights.length; i++) {
        for (let x = 0; x < width; x++) result.data[y * width + x] += weights[i] * across[(start + i) * width + x]
      }
    }
    return result
  }
}

/** Cell i covers i size / count to (i + 1) size / count; the weights of a cell add up to 1. */
function runs(size: number, count: number): Run[] {
  return Array.from({ length: count }, (_, i) => {
    // In units of 1 / count of a pixel all bounds are integers.
    const [from, to] = [i * size, (i + 1) * size]
    const start = Math.floor(from / count)
    const end = Math.ceil(to / count)
    const weights = Float64Array.from({ length: end - start }, (_pixel, j) => {
      const pixel = start + j
      return (Math.min(to, (pixel + 1) * count) - Math.max(from, pixel * count)) / size
    })
    return { start, weights }
  })
}
