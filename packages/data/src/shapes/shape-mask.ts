/** The six classes of the generated dataset, in label order. Each is its own mirror image, left to right. */
export const SHAPE_CLASSES = ['disc', 'ring', 'square', 'triangle', 'cross', 'crescent'] as const

/** Name of a class of the generated dataset. */
export type ShapeClass = (typeof SHAPE_CLASSES)[number]

/** Where a shape stands. All three are fractions of the picture's side, from the top left corner. */
export interface Placement {
  readonly x: number
  readonly y: number
  readonly radius: number
}

const INNER_RADIUS = 0.5
const SQUARE_HALF_SIDE = 0.88
const TRIANGLE_HALF_WIDTH = 0.98
const TRIANGLE_BASE = 0.8
const ARM_HALF_WIDTH = 0.34
const BITE_RADIUS = 0.8
const BITE_CENTER = -0.5

/**
 * Signed distance from a point to the edge of a shape of radius 1 around the origin, negative inside. Right and down
 * are positive. Distances are exact or, near outer corners, slightly too small, which antialiasing does not notice.
 */
export const shapeDistance: Readonly<Record<ShapeClass, (u: number, v: number) => number>> = {
  disc: (u, v) => Math.sqrt(u * u + v * v) - 1,
  ring: (u, v) => Math.abs(Math.sqrt(u * u + v * v) - (1 + INNER_RADIUS) / 2) - (1 - INNER_RADIUS) / 2,
  square: (u, v) => Math.max(Math.abs(u), Math.abs(v)) - SQUARE_HALF_SIDE,
  triangle: (u, v) => {
    const height = 1 + TRIANGLE_BASE
    const side = Math.sqrt(height * height + TRIANGLE_HALF_WIDTH * TRIANGLE_HALF_WIDTH)
    return Math.max(v - TRIANGLE_BASE, (height * Math.abs(u) - TRIANGLE_HALF_WIDTH * (v + 1)) / side)
  },
  cross: (u, v) => {
    const long = Math.max(Math.abs(u), Math.abs(v))
    const short = Math.min(Math.abs(u), Math.abs(v))
    return Math.max(long - 1, short - ARM_HALF_WIDTH)
  },
  crescent: (u, v) => {
    const bite = Math.sqrt(u * u + (v - BITE_CENTER) * (v - BITE_CENTER))
    return Math.max(Math.sqrt(u * u + v * v) - 1, BITE_RADIUS - bite)
  },
}

/**
 * How much of each pixel a shape covers: 0 outside, 1 inside, between them over one pixel along the edge.
 *
 *   coverage = clamp(1/2 - distance in pixels, 0, 1)
 *
 * @param out  filled and returned, `[height, width]`, row by row
 */
export function shapeMask(
  shape: ShapeClass,
  { x, y, radius }: Placement,
  height: number,
  width: number,
  out: Float32Array = new Float32Array(height * width),
): Float32Array {
  const distance = shapeDistance[shape]
  const side = Math.min(height, width)
  const pixels = radius * side
  out.fill(0)
  // Along either axis no shape reaches further than its radius.
  const reach = pixels + 1
  const [top, bottom] = range(y * height, reach, height)
  const [left, right] = range(x * width, reach, width)
  for (let row = top; row < bottom; row++) {
    const v = (row + 0.5 - y * height) / pixels
    for (let column = left; column < right; column++) {
      const u = (column + 0.5 - x * width) / pixels
      out[row * width + column] = Math.max(0, Math.min(1, 0.5 - distance(u, v) * pixels))
    }
  }
  return out
}

function range(center: number, reach: number, size: number): [from: number, to: number] {
  return [Math.max(0, Math.floor(center - reach)), Math.min(size, Math.ceil(center + reach))]
}
