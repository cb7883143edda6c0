import { isTracked, record } from '../autograd/tape.js'
import type { ConvWindow } from '../backend.js'
import { scope } from '../scope.js'
import { formatShape, sameShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { add } from './binary.js'
import { checkFloats } from './check-floats.js'
import { zeros } from './create.js'
import { matmul } from './matmul.js'
import { concat, reshape, slice } from './shape.js'

/** Rows and columns of zeros around an image. */
export interface Padding2d {
  readonly top?: number
  readonly bottom?: number
  readonly left?: number
  readonly right?: number
}

export interface Conv2dOptions {
  /** Pixels from one window to the next, 1 or more; 1 by default. */
  readonly stride?: number
  /** The same on all four sides, or each side's (0 where left out); 0 by default. */
  readonly padding?: number | Padding2d
}

/**
 * Convolution of images, in the sense of networks (the kernel is not flipped), with zeros outside of the image:
 *
 *   out[b, o, i, j] = bias[o] + sum over c, u, v of weight[o, c, u, v] x[b, c, stride i + u - top, stride j + v - left]
 *
 * @param x      `[B, C, H, W]`
 * @param weight `[O, C, KH, KW]`, as in a PyTorch state dict
 * @param bias   `[O]`, or null
 * @returns `[B, O, OH, OW]` with OH = floor((H + top + bottom - KH) / stride) + 1, and OW likewise
 * @throws RangeError when the extents do not fit, the window is larger than the padded image, or an option is no count
 *
 * LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition".
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  { stride = 1, padding = 0 }: Conv2dOptions = {},
): Tensor {
  const [, C, H, W] = x.shape
  const [O, channels, KH, KW] = weight.shape
  const hasBias = bias === null || sameShape(bias.shape, [O])
  if (x.shape.length !== 4 || weight.shape.length !== 4 || channels !== C || !hasBias) {
    const biasShape = bias === null ? 'null' : formatShape(bias.shape)
    throw new RangeError(
      `conv2d: weight must be [O, C, KH, KW] and bias [O] for x [B, C, H, W] (got x ${formatShape(x.shape)}, weight ${formatShape(weight.shape)}, bias ${biasShape})`,
    )
  }
  const sides = typeof padding === 'number' ? { top: padding, bottom: padding, left: padding, right: padding } : padding
  const { top = 0, bottom = 0, left = 0, right = 0 } = sides
  checkCounts(stride, { top, bottom, left, right })
  const height = Math.floor((H + top + bottom - KH) / stride) + 1
  const width = Math.floor((W + left + right - KW) / stride) + 1
  if (height < 1 || width < 1) {
    throw new RangeError(
      `conv2d: the window [${KH}, ${KW}] must fit the padded image [${H + top + bottom}, ${W + left + right}] (x is ${formatShape(x.shape)})`,
    )
  }
  checkFloats('conv2d', bias === null ? [x, weight] : [x, weight, bias])
  const window = { stride, top, left }
  return x.backend.kernels.conv2d === undefined
    ? composed(x, weight, bias, window, [height, width])
    : fused(x, weight, bias, window, [height, width])
}

function checkCounts(stride: number, padding: Required<Padding2d>): void {
  if (!Number.isInteger(stride) || stride < 1) {
    throw new RangeError(`conv2d: stride must be an integer of 1 or more (got ${stride})`)
  }
  for (const [side, count] of Object.entries(padding)) {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`conv2d: padding must be integers of 0 or more (${side} is ${count})`)
    }
  }
}

type Extents = readonly [height: number, width: number]

function fused(x: Tensor, weight: Tensor, bias: Tensor | null, window: ConvWindow, [height, width]: Extents): Tensor {
  const inputs = bias === null ? [x, weight] : [x, weight, bias]
  const backend = commonBackend('conv2d', inputs)
  const needs = inputs.map(isTracked)
  const out = empty(backend, [x.shape[0], weight.shape[0], height, width], x.dtype)
  backend.kernels.conv2d!(x, weight, bias, window, out)
  record({
    name: 'conv2d',
    inputs,
    outputs: [out],
    saves: needs.includes(true) ? [x, weight] : [],
    backward: ([dout]) => {
      const outputs = inputs.map((input, i) => (needs[i] ? empty(backend, input.shape, input.dtype) : null))
      const [dx, dweight, dbias = null] = outputs
      backend.kernels.conv2dBackward!(x, weight, window, dout!, { dx, dweight, dbias })
      return outputs
    },
  })
  return out
}

/** A sum over the places of the window, for each of which the channels are mixed by one matrix. */
function composed(x: Tensor, weight: Tensor, bias: Tensor | null, window: ConvWindow, out: Extents): Tensor {
  const [B, C] = x.shape
  const [O, , KH, KW] = weight.shape
  const { stride, top, left } = window
  const [height, width] = out
  return scope(() => {
    const rows = padded(x, 2, top, KH - 1 + stride * height)
    const image = padded(rows, 3, left, KW - 1 + stride * width)
    let sum: Tensor | null = null
    for (let u = 0; u < KH; u++) {
      for (let v = 0; v < KW; v++) {
        const place = slice(slice(weight, 2, u, 1), 3, v, 1) // [O, C, 1, 1]
        const pixels = everyNth(everyNth(image, 2, u, stride, height), 3, v, stride, width) // [B, C, OH, OW]
        const columns = reshape(pixels, [B, C, height * width])
        const matrix = reshape(place, [O, C])
        const products = Array.from({ length: B }, (_, b) =>
          matmul(matrix, reshape(slice(columns, 0, b, 1), [C, height * width])),
        )
        const product = reshape(concat(products, 0), [B, O, height, width])
        sum = sum === null ? product : add(sum, product)
      }
    }
    return bias === null ? sum! : add(sum!, reshape(bias, [1, O, 1, 1])) // [B, O, OH, OW]
  })
}

/** An axis that begins with `before` zeros and is `extent` long, filled up with zeros or cut off. */
function padded(x: Tensor, axis: number, before: number, extent: number): Tensor {
  const after = extent - before - x.shape[axis]
  const blank = (count: number) => zeros(x.shape.with(axis, count), { backend: x.backend, dtype: x.dtype })
  const parts = [...(before > 0 ? [blank(before)] : []), x, ...(after > 0 ? [blank(after)] : [])]
  const whole = parts.length === 1 ? x : concat(parts, axis)
  return whole.shape[axis] > extent ? slice(whole, axis, 0, extent) : whole
}

/** `count` entries of an axis: start, start + step, start + 2 step, ... */
function everyNth(x: Tensor, axis: number, start: number, step: number, count: number): Tensor {
  const run = slice(x, axis, start, step * count)
  if (step === 1) return run
  const before = x.shape.slice(0, axis).reduce((product, extent) => product * extent, 1)
  const after = x.shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  const taken = slice(reshape(run, [before, count, step, after]), 2, 0, 1)
  return reshape(taken, x.shape.with(axis, count))
}
