import { type GroupedConvolution, type ImageKernels, type InferenceKernels, sizeOf, type View } from '@dit/tensor'
import type { Runtime } from '../runtime/runtime.js'
import type { Gather } from '../wgsl/product.js'
import { runDepthwise } from './depthwise.js'
import { runProduct } from './product.js'
import { placed } from './saved.js'
import { runSum } from './sum.js'

const PARAMS = [
  'channels',
  'height',
  'width',
  'outputs',
  'out_height',
  'out_width',
  'window_height',
  'window_width',
  'stride',
  'top',
  'left',
]

const SPLIT_WINDOW = (index: string) => `  let v = ${index} % p.window_width;
  let u = (${index} / p.window_width) % p.window_height;
  let channel = ${index} / (p.window_width * p.window_height);`

/** Pixel of `x` under place (u, v) of the window at (i, j); positions before the image wrap to huge numbers. */
const PIXEL = (sample: string) => `  let y = p.stride * i + u - p.top;
  let x = p.stride * j + v - p.left;
  if (y >= p.height || x >= p.width) { return 0.0; }
  return b[((${sample} * p.channels + channel) * p.height + y) * p.width + x];`

/** out[b] = weight [O, C KH KW] by windows [C KH KW, OH OW] */
const FORWARD: Gather = {
  name: 'conv2d',
  params: PARAMS,
  b: `${SPLIT_WINDOW('term')}
  let i = column / p.out_width;
  let j = column % p.out_width;
${PIXEL('group')}`,
}

/** out[b, g] = weight[g] [O, C KH KW] by windows of the C channels of a group, whose maps lie in memory as a sample's do. */
const GROUPED: Gather = {
  ...FORWARD,
  name: 'grouped conv2d',
  params: [...PARAMS, 'weight_groups'],
  a: '  return a[((group % p.weight_groups) * p.m + row) * p.k + term];',
  bias: '(group % p.weight_groups) * p.m + row',
}

/** out[b] = weight [O, C] by pixels [C, H W], which lie in memory as they are needed. */
const POINTWISE: Gather = { name: 'pointwise conv2d', params: [] }

/** dx[b] = weight [C, O KH KW] by windows of dout [O KH KW, H W] */
const INPUT_GRADIENT: Gather = {
  name: 'conv2d dx',
  params: PARAMS,
  a: `  let place = term % (p.window_height * p.window_width);
  let output = term / (p.window_height * p.window_width);
  return a[(output * p.channels + row) * p.window_height * p.window_width + place];`,
  b: `${SPLIT_WINDOW('term')}
  let y = column / p.width + p.top - u;
  let x = column % p.width + p.left - v;
  let i = y / p.stride;
  let j = x / p.stride;
  if (y % p.stride != 0u || x % p.stride != 0u || i >= p.out_height || j >= p.out_width) { return 0.0; }
  return b[((group * p.outputs + channel) * p.out_height + i) * p.out_width + j];`,
}

/** dweight [O, C KH KW] = dout [O, B OH OW] by windows [B OH OW, C KH KW] */
const WEIGHT_GRADIENT: Gather = {
  name: 'conv2d dweight',
  params: PARAMS,
  a: `  let pixels = p.out_height * p.out_width;
  return a[((term / pixels) * p.outputs + row) * pixels + term % pixels];`,
  b: `${SPLIT_WINDOW('column')}
  let pixels = p.out_height * p.out_width;
  let i = (term % pixels) / p.out_width;
  let j = term % p.out_width;
${PIXEL('(term / pixels)')}`,
}

/** Convolutions as products whose operands are gathered on the way into shared memory: no matrix of windows exists. */
export function convolutionKernels(
  runtime: Runtime,
): Pick<ImageKernels, 'conv2d' | 'conv2dBackward'> & Pick<InferenceKernels, 'groupedConv2d'> {
  type Window = Parameters<ImageKernels['conv2d']>[3]
  const valuesOf = (x: View, weight: View, { stride, top, left }: Window, out: View) => {
    const [, C, H, W] = x.shape
    const [O, , KH, KW] = weight.shape
    return [C, H, W, O, ...out.shape.slice(2), KH, KW, stride, top, left]
  }
  const plainProduct = { transposeA: false, transposeB: false, isExact: true }

  function forward(x: View, weight: View, bias: View | null, convolution: GroupedConvolution, out: View): void {
    const { groups, activation } = convolution
    const [B, O, OH, OW] = out.shape
    const extents = { G: B * groups, M: O / groups, N: OH * OW, K: sizeOf(weight.shape) / O }
    const values = valuesOf(x, weight, convolution, out)
    const gather =
      groups > 1
        ? { how: GROUPED, values: [...values.with(0, weight.shape[1]), groups] }
        : isPointwise(weight, convolution, x, out)
          ? { how: POINTWISE, values: [] }
          : { how: FORWARD, values }
    runProduct(runtime, { a: weight, b: x, extents, ...plainProduct, out, bias, activation, gather })
  }

  return {
    conv2d(x, weight, bias, window, out) {
      forward(x, weight, bias, { ...window, groups: 1, activation: 'none' }, out)
    },
    groupedConv2d(x, weight, bias, convolution, out) {
      if (convolution.groups > 1 && weight.shape[1] === 1) runDepthwise(runtime, x, weight, bias, convolution, out)
      else forward(x, weight, bias, convolution, out)
    },
    conv2dBackward(x, weight, window, dout, { dx, dweight, dbias }) {
      const [B, O, OH, OW] = dout.shape
      const [, C, H, W] = x.shape
      const places = sizeOf(weight.shape) / (O * C)
      const values = valuesOf(x, weight, window, dout)
      if (dx !== null) {
        const extents = { G: B, M: C, N: H * W, K: O * places }
        const gather = { how: INPUT_GRADIENT, values }
        runProduct(runtime, { a: weight, b: dout, extents, ...plainProduct, out: dx, gather })
      }
      if (dweight !== null) {
        const extents = { G: 1, M: O, N: C * places, K: B * OH * OW }
        const gather = { how: WEIGHT_GRADIENT, values }
        runProduct(runtime, { a: dout, b: x, extents, ...plainProduct, out: dweight, gather })
      }
      if (dbias !== null) runSum(runtime, dout, [0, 2, 3], placed(dbias, [1, O, 1, 1]))
    },
  }
}

/** Whether each pixel of the result sees the same pixel of the image, and no other. */
function isPointwise(
  { shape: [, , KH, KW] }: View,
  { stride, top, left }: GroupedConvolution,
  x: View,
  out: View,
): boolean {
  const isSame = x.shape[2] === out.shape[2] && x.shape[3] === out.shape[3]
  return KH === 1 && KW === 1 && stride === 1 && top === 0 && left === 0 && isSame
}
