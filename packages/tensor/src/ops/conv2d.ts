import { isTracked, record } from '../autograd/tape.js'
import type { ConvActivation, ConvWindow } from '../backend.js'
import { scope } from '../scope.js'
import { formatShape, sameShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { add, mul } from './binary.js'
import { checkFloats } from './check-floats.js'
import { matmul } from './matmul.js'
import { concat, reshape, slice } from './shape.js'
import { relu, relu6 } from './unary.js'
import { checkFits, everyNth, type Extents, padded, type Padding2d, sidesOf } from './windows.js'

export interface Conv2dOptions {
  /** Pixels from one window to the next, 1 or more; 1 by default. */
  readonly stride?: number
  /** The same on all four sides, or each side's (0 where left out); 0 by default. */
  readonly padding?: number | Padding2d
  /**
   * Into how many groups the channels of `x` and of the result are split; a channel of the result sees only its own group. As many as
   * there are channels make a depthwise convolution. 1 by default.
   */
  readonly groups?: number
  /** Applied to the result; `none` by default. */
  readonly activation?: ConvActivation
}

const activations: Readonly<Record<ConvActivation, (x: Tensor) => Tensor>> = { none: (x) => x, relu, relu6 }

/**
 * Convolution of images, in the sense of networks (the kernel is not flipped), with zeros outside of the image:
 *
 *   out[b, o, i, j] = activation(bias[o] + sum over c, u, v of weight[o, c, u, v] x[b, c, stride i + u - top, stride j + v - left])
 *
 * where c runs over the channels of the group of o.
 *
 * @param x      `[B, C, H, W]`
 * @param weight `[O, C / groups, KH, KW]`, as in a PyTorch state dict
 * @param bias   `[O]`, or null
 * @returns `[B, O, OH, OW]` with OH = floor((H + top + bottom - KH) / stride) + 1, and OW likewise
 * @throws RangeError when the extents do not fit, the window is larger than the padded image, or an option is none of its values
 *
 * LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition"; groups: Krizhevsky et al. 2012.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  { stride = 1, padding = 0, groups = 1, activation = 'none' }: Conv2dOptions = {},
): Tensor {
  checkShapes(x, weight, bias, groups)
  const sides = sidesOf('conv2d', padding)
  if (!Number.isInteger(stride) || stride < 1) {
    throw new RangeError(`conv2d: stride must be an integer of 1 or more (got ${stride})`)
  }
  if (!Object.hasOwn(activations, activation)) {
    throw new RangeError(`conv2d: activation must be none, relu or relu6 (got ${activation as string})`)
  }
  const [, , KH, KW] = weight.shape
  checkFits('conv2d', x, [KH, KW], sides)
  const { top, bottom, left, right } = sides
  const extents: Extents = [
    Math.floor((x.shape[2] + top + bottom - KH) / stride) + 1,
    Math.floor((x.shape[3] + left + right - KW) / stride) + 1,
  ]
  const inputs = bias === null ? [x, weight] : [x, weight, bias]
  const backend = commonBackend('conv2d', inputs)
  checkFloats('conv2d', inputs)
  const window = { stride, top, left }
  if (groups === 1 && activation === 'none') return ungrouped(x, weight, bias, window, extents)
  if (backend.kernels.groupedConv2d !== undefined && !inputs.some(isTracked)) {
    const out = empty(backend, [x.shape[0], weight.shape[0], ...extents], x.dtype)
    backend.kernels.groupedConv2d(x, weight, bias, { ...window, groups, activation }, out)
    return out
  }
  return scope(() => {
    const out =
      groups === 1
        ? ungrouped(x, weight, bias, window, extents)
        : weight.shape[1] === 1
          ? composedDepthwise(x, weight, bias, window, extents)
          : composedGroups(x, weight, bias, groups, window, extents)
    return activations[activation](out)
  })
}

function checkShapes(x: Tensor, weight: Tensor, bias: Tensor | null, groups: number): void {
  const [, C] = x.shape
  const [O, channels] = weight.shape
  if (!Number.isInteger(groups) || groups < 1) {
    throw new RangeError(`conv2d: groups must be an integer of 1 or more (got ${groups})`)
  }
  const hasBias = bias === null || sameShape(bias.shape, [O])
  if (x.shape.length !== 4 || weight.shape.length !== 4 || channels * groups !== C || !hasBias) {
    const biasShape = bias === null ? 'null' : formatShape(bias.shape)
    const inGroups = groups === 1 ? ['C', ''] : ['C / groups', ` with groups ${groups}`]
    throw new RangeError(
      `conv2d: weight must be [O, ${inGroups[0]}, KH, KW] and bias [O] for x [B, C, H, W]${inGroups[1]} (got x ${formatShape(x.shape)}, weight ${formatShape(weight.shape)}, bias ${biasShape})`,
    )
  }
  if (O % groups !== 0) {
    throw new RangeError(
      `conv2d: the ${O} channels of the result do not split into ${groups} groups (weight is ${formatShape(weight.shape)})`,
    )
  }
}

function ungrouped(x: Tensor, weight: Tensor, bias: Tensor | null, window: ConvWindow, extents: Extents): Tensor {
  return x.backend.kernels.conv2d === undefined
    ? composed(x, weight, bias, window, extents)
    : fused(x, weight, bias, window, extents)
}

function fused(x: Tensor, weight: Tensor, bias: Tensor | null, window: ConvWindow, [height, width]: Extents): Tensor {
  const inputs = bias === null ? [x, weight] : [x, weight, bias]
  const { backend } = x
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
function composed(x: Tensor, weight: Tensor, bias: Tensor | null, window: ConvWindow, extents: Extents): Tensor {
  const [B, C] = x.shape
  const [O] = weight.shape
  const [height, width] = extents
  return sumOverPlaces(x, weight, bias, window, extents, (pixels, place) => {
    const columns = reshape(pixels, [B, C, height * width])
    const matrix = reshape(place, [O, C])
    const products = Array.from({ length: B }, (_, b) =>
      matmul(matrix, reshape(slice(columns, 0, b, 1), [C, height * width])),
    )
    return reshape(concat(products, 0), [B, O, height, width])
  })
}

/** The same with one channel in each group: there a place of the window scales the channels. */
function composedDepthwise(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  window: ConvWindow,
  extents: Extents,
): Tensor {
  const [B, C] = x.shape
  const [O] = weight.shape
  const [height, width] = extents
  return sumOverPlaces(x, weight, bias, window, extents, (pixels, place) => {
    const scaled = mul(reshape(pixels, [B, C, 1, height * width]), reshape(place, [1, C, O / C, 1])) // [B, C, O / C, OH OW]
    return reshape(scaled, [B, O, height, width])
  })
}

function sumOverPlaces(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  { stride, top, left }: ConvWindow,
  [height, width]: Extents,
  product: (pixels: Tensor, place: Tensor) => Tensor,
): Tensor {
  const [O, , KH, KW] = weight.shape
  return scope(() => {
    const rows = padded(x, 2, top, KH - 1 + stride * height)
    const image = padded(rows, 3, left, KW - 1 + stride * width)
    let sum: Tensor | null = null
    for (let u = 0; u < KH; u++) {
      for (let v = 0; v < KW; v++) {
        const place = slice(slice(weight, 2, u, 1), 3, v, 1) // [O, C / groups, 1, 1]
        const pixels = everyNth(everyNth(image, 2, u, stride, height), 3, v, stride, width) // [B, C, OH, OW]
        const term = product(pixels, place)
        sum = sum === null ? term : add(sum, term)
      }
    }
    return bias === null ? sum! : add(sum!, reshape(bias, [1, O, 1, 1])) // [B, O, OH, OW]
  })
}

/** One convolution for each group. */
function composedGroups(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  groups: number,
  window: ConvWindow,
  extents: Extents,
): Tensor {
  const part = (whole: Tensor, axis: number, group: number) => {
    const size = whole.shape[axis] / groups
    return slice(whole, axis, group * size, size)
  }
  const results = Array.from({ length: groups }, (_, group) =>
    ungrouped(part(x, 1, group), part(weight, 0, group), bias && part(bias, 0, group), window, extents),
  )
  return concat(results, 1)
}
