import { formatShape } from '../shape.js'
import type { Tensor } from '../tensor.js'
import { zeros } from './create.js'
import { concat, reshape, slice } from './shape.js'

/** Rows and columns around an image. */
export interface Padding2d {
  readonly top?: number
  readonly bottom?: number
  readonly left?: number
  readonly right?: number
}

/** Number of windows down and across. */
export type Extents = readonly [height: number, width: number]

/**
 * Each side of a padding.
 *
 * @throws RangeError unless all are counts
 */
export function sidesOf(caller: string, padding: number | Padding2d): Required<Padding2d> {
  const given = typeof padding === 'number' ? { top: padding, bottom: padding, left: padding, right: padding } : padding
  const { top = 0, bottom = 0, left = 0, right = 0 } = given
  const sides = { top, bottom, left, right }
  for (const [side, count] of Object.entries(sides)) {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`${caller}: padding must be integers of 0 or more (${side} is ${count})`)
    }
  }
  return sides
}

/**
 * Checks that a window fits the padded image.
 *
 * @throws RangeError otherwise
 */
export function checkFits(
  caller: string,
  x: Tensor,
  [KH, KW]: Extents,
  { top, bottom, left, right }: Required<Padding2d>,
): void {
  const [, , H, W] = x.shape
  if (KH <= H + top + bottom && KW <= W + left + right) return
  throw new RangeError(
    `${caller}: the window [${KH}, ${KW}] must fit the padded image [${H + top + bottom}, ${W + left + right}] (x is ${formatShape(x.shape)})`,
  )
}

/** An axis that begins with `before` zeros and is `extent` long, filled up with zeros or cut off. */
export function padded(x: Tensor, axis: number, before: number, extent: number): Tensor {
  const after = extent - before - x.shape[axis]
  const blank = (count: number) => zeros(x.shape.with(axis, count), { backend: x.backend, dtype: x.dtype })
  const parts = [...(before > 0 ? [blank(before)] : []), x, ...(after > 0 ? [blank(after)] : [])]
  const whole = parts.length === 1 ? x : concat(parts, axis)
  return whole.shape[axis] > extent ? slice(whole, axis, 0, extent) : whole
}

/** `count` entries of an axis: start, start + step, start + 2 step, ... */
export function everyNth(x: Tensor, axis: number, start: number, step: number, count: number): Tensor {
  const run = slice(x, axis, start, step * count)
  if (step === 1) return run
  const before = x.shape.slice(0, axis).reduce((product, extent) => product * extent, 1)
  const after = x.shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  const taken = slice(reshape(run, [before, count, step, after]), 2, 0, 1)
  return reshape(taken, x.shape.with(axis, count))
}
