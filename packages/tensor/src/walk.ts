import { type Shape, stridesOf } from './shape.js'

/** Axes that an element-wise kernel walks over, and how far each operand moves along them, in elements. */
export interface Walk {
  readonly shape: readonly number[]
  readonly strides: readonly (readonly number[])[]
}

/** Most axes that kernels walk over, once neighbours are merged. */
const MAX_WALK_AXES = 6

/**
 * The same walk with as few axes as possible: those of extent 1 go, and neighbours merge where every operand runs through
 * both without a break. At least one axis is left.
 *
 * @throws RangeError when more than 6 are left
 */
export function mergedWalk(caller: string, { shape, strides }: Walk): Walk {
  const extents: number[] = []
  const steps: number[][] = strides.map(() => [])
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 1) continue
    const last = extents.length - 1
    if (last >= 0 && strides.every((own, o) => steps[o][last] === own[axis] * shape[axis])) {
      extents[last] *= shape[axis]
      for (const [o, own] of strides.entries()) steps[o][last] = own[axis]
    } else {
      extents.push(shape[axis])
      for (const [o, own] of strides.entries()) steps[o].push(own[axis])
    }
  }
  if (extents.length === 0) return { shape: [1], strides: strides.map(() => [1]) }
  if (extents.length > MAX_WALK_AXES) {
    throw new RangeError(`${caller}: at most ${MAX_WALK_AXES} axes can differ in layout (got ${extents.length})`)
  }
  return { shape: extents, strides: steps }
}

/** Strides of a tensor of `shape` stretched to `out`: 0 along the axes that are stretched. */
export function stretchedStrides(shape: Shape, out: Shape): number[] {
  const own = stridesOf(shape)
  const missing = out.length - shape.length
  return out.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : own[axis - missing]))
}
