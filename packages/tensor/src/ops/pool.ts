import { isTracked } from '../autograd/tape.js'
import type { PoolWindow } from '../backend.js'
import { scope } from '../scope.js'
import { empty, type Tensor } from '../tensor.js'
import { add, div, maximum } from './binary.js'
import { checkFloats } from './check-floats.js'
import { tensor } from './create.js'
import { misfit } from './misfit.js'
import { concat, slice } from './shape.js'
import { checkFits, everyNth, type Extents, padded, type Padding2d, sidesOf } from './windows.js'

export interface Pool2dOptions {
  /** Height and width of a window; one number is both. */
  readonly window: number | Extents
  /** Rows and columns from one window to the next; `window` by default. */
  readonly stride?: number | Extents
  /** How far windows may reach beyond the image on each side, less than the window; 0 by default. What lies outside does not count. */
  readonly padding?: number | Padding2d
  /** Whether a last window counts that does not fit the padded image, if it begins inside it; false by default. */
  readonly ceil?: boolean
}

/**
 * The largest value of each window:
 *
 *   out[b, c, i, j] = max over u, v of x[b, c, strideHeight i + u - top, strideWidth j + v - left]
 *
 * over the pixels inside the image; NaN where one of them is NaN. Where several are largest, one of them has the gradient.
 *
 * @param x `[B, C, H, W]`
 * @returns `[B, C, OH, OW]` with OH = floor((H + top + bottom - window) / stride) + 1, or ceil with `ceil`, and OW likewise
 * @throws RangeError when the window is larger than the padded image, or an option is none of its values
 */
export function maxPool2d(x: Tensor, options: Pool2dOptions): Tensor {
  const { window, extents } = checked('maxPool2d', x, options)
  const { backend } = x
  if (backend.kernels.maxPool2d === undefined || isTracked(x)) return composedMax(x, window, extents)
  const out = empty(backend, [...x.shape.slice(0, 2), ...extents], x.dtype)
  backend.kernels.maxPool2d(x, window, out)
  return out
}

/**
 * The mean of each window over the pixels inside the image: padding is not counted, as with `count_include_pad=False` in PyTorch.
 *
 * @param x `[B, C, H, W]`
 * @returns `[B, C, OH, OW]`, as of `maxPool2d`
 * @throws RangeError when the window is larger than the padded image, or an option is none of its values
 */
export function averagePool2d(x: Tensor, options: Pool2dOptions): Tensor {
  const { window, extents } = checked('averagePool2d', x, options)
  const { backend } = x
  if (backend.kernels.averagePool2d === undefined || isTracked(x)) return composedAverage(x, window, extents)
  const out = empty(backend, [...x.shape.slice(0, 2), ...extents], x.dtype)
  backend.kernels.averagePool2d(x, window, out)
  return out
}

function checked(caller: string, x: Tensor, { window, stride = window, padding = 0, ceil = false }: Pool2dOptions) {
  if (x.shape.length !== 4) throw misfit(`${caller}: x must be [B, C, H, W]`, [x])
  checkFloats(caller, [x])
  const [height, width] = pairOf(caller, 'window', window)
  const [strideHeight, strideWidth] = pairOf(caller, 'stride', stride)
  const sides = sidesOf(caller, padding)
  const { top, bottom, left, right } = sides
  for (const [count, limit] of [
    [Math.max(top, bottom), height],
    [Math.max(left, right), width],
  ]) {
    // Otherwise a window could lie outside of the image, and would have no value.
    if (count >= limit) {
      throw new RangeError(
        `${caller}: padding must be less than the window (got padding ${count} and window [${height}, ${width}])`,
      )
    }
  }
  const [, , H, W] = x.shape
  checkFits(caller, x, [height, width], sides)
  const extents: Extents = [
    count(H, top, bottom, height, strideHeight, ceil),
    count(W, left, right, width, strideWidth, ceil),
  ]
  const poolWindow: PoolWindow = { height, width, strideHeight, strideWidth, top, left }
  return { window: poolWindow, extents }
}

function pairOf(caller: string, name: string, value: number | Extents): Extents {
  const pair = typeof value === 'number' ? ([value, value] as const) : value
  if (pair.length === 2 && pair.every((each) => Number.isInteger(each) && each >= 1)) return pair
  throw new RangeError(
    `${caller}: ${name} must be an integer of 1 or more, or two: height and width (got ${JSON.stringify(value)})`,
  )
}

/** How many windows there are along an axis. */
function count(extent: number, before: number, after: number, window: number, stride: number, ceil: boolean): number {
  const steps = (extent + before + after - window) / stride
  if (!ceil) return Math.floor(steps) + 1
  // The last window begins inside the image or before it, and not in what follows.
  return Math.min(Math.ceil(steps), Math.ceil((extent + before) / stride) - 1) + 1
}

/** The larger of shifted images, first along the rows and then along the columns. */
function composedMax(x: Tensor, window: PoolWindow, [height, width]: Extents): Tensor {
  const { strideHeight, strideWidth, top, left } = window
  return scope(() => {
    const rows = folded(edged(x, 2, top, window.height - 1 + strideHeight * height), 2, window.height, maximum, [
      strideHeight,
      height,
    ])
    return folded(edged(rows, 3, left, window.width - 1 + strideWidth * width), 3, window.width, maximum, [
      strideWidth,
      width,
    ])
  })
}

/** The sum of shifted images, over how many pixels each window sees. */
function composedAverage(x: Tensor, window: PoolWindow, [height, width]: Extents): Tensor {
  const { strideHeight, strideWidth, top, left } = window
  const [, , H, W] = x.shape
  return scope(() => {
    const rows = folded(padded(x, 2, top, window.height - 1 + strideHeight * height), 2, window.height, add, [
      strideHeight,
      height,
    ])
    const sums = folded(padded(rows, 3, left, window.width - 1 + strideWidth * width), 3, window.width, add, [
      strideWidth,
      width,
    ])
    const down = seen(H, window.height, strideHeight, top, height)
    const across = seen(W, window.width, strideWidth, left, width)
    const counts = down.flatMap((pixels) => across.map((each) => pixels * each))
    return div(sums, tensor(counts, [1, 1, height, width], { backend: x.backend, dtype: x.dtype }))
  })
}

/** How many pixels of an axis each window sees. */
function seen(extent: number, window: number, stride: number, before: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const start = i * stride - before
    return Math.min(extent, start + window) - Math.max(0, start)
  })
}

/** Joins the places of a window along one axis: pixels start, start + stride, ... for each place. */
function folded(
  x: Tensor,
  axis: number,
  window: number,
  join: (a: Tensor, b: Tensor) => Tensor,
  [stride, count]: readonly [number, number],
): Tensor {
  let result = everyNth(x, axis, 0, stride, count)
  for (let place = 1; place < window; place++) result = join(result, everyNth(x, axis, place, stride, count))
  return result
}

/**
 * An axis continued by its first and last entries, `before` of them in front, until it is `extent` long; or cut off. A window that
 * reaches beyond the image sees that entry anyway, so that its maximum is the same.
 */
function edged(x: Tensor, axis: number, before: number, extent: number): Tensor {
  const length = x.shape[axis]
  const after = Math.max(0, extent - before - length)
  const [first, last] = [() => slice(x, axis, 0, 1), () => slice(x, axis, length - 1, 1)]
  const parts = [...Array.from({ length: before }, first), x, ...Array.from({ length: after }, last)]
  const whole = parts.length === 1 ? x : concat(parts, axis)
  return whole.shape[axis] > extent ? slice(whole, axis, 0, extent) : whole
}
