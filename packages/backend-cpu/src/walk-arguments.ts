import type { Walk } from '@dit/tensor'

/** The arguments of a kernel that walks: rank, shape, strides of each operand. */
export function walkArguments({ shape, strides }: Walk): number[] {
  return [shape.length, ...shape, ...strides.flat()]
}
