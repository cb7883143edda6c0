import { type GroupedConvolution, sizeOf, type View } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { precise } from '../wgsl/functions.js'

const LANES = 256

const PARAMS = [
  'runs',
  'multiplier',
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
] as const

/**
 * activation(conv2d) where a group has one channel. No product of matrices: each invocation sums up a run of four neighbours in a row
 * of the result, which share their weights. Positions before the image wrap to huge numbers.
 */
export function runDepthwise(
  runtime: Runtime,
  x: View,
  weight: View,
  bias: View | null,
  { stride, top, left, groups, activation }: GroupedConvolution,
  out: View,
): void {
  const useBias = bias !== null
  const kernel = runtime.kernel(`depthwise conv2d/${activation}/${useBias}`, () => ({
    label: 'depthwise conv2d',
    storage: [reads('x'), reads('weight'), ...(useBias ? [reads('bias')] : []), writes('out')],
    params: PARAMS.map((name) => [name, 'u32'] as const),
    workgroupSize: [LANES, 1, 1],
    declarations: activation === 'none' ? '' : precise('vec4<f32>'),
    body: `  let run = (wg.x + wg.y * groups.x) * ${LANES}u + lane;
  if (run >= p.runs) { return; }
  let runs_in_row = (p.out_width + 3u) / 4u;
  let j = 4u * (run % runs_in_row);
  let row = run / runs_in_row;
  let i = row % p.out_height;
  let map = row / p.out_height;
  let output = map % p.outputs;
  let image = (map / p.multiplier) * p.height;
  var sum = vec4<f32>(0.0);
  for (var u = 0u; u < p.window_height; u++) {
    let y = p.stride * i + u - p.top;
    if (y >= p.height) { continue; }
    let first = (image + y) * p.width;
    let place = (output * p.window_height + u) * p.window_width;
    for (var v = 0u; v < p.window_width; v++) {
      var pixels = vec4<f32>(0.0);
      for (var k = 0u; k < 4u; k++) {
        let column = p.stride * (j + k) + v - p.left;
        if (column < p.width) { pixels[k] = x[first + column]; }
      }
      sum = fma(vec4<f32>(weight[place + v]), pixels, sum);
    }
  }
${useBias ? '  sum += bias[output];' : ''}
${activation === 'none' ? '' : `  sum = ${activation}_of(sum);`}
  for (var k = 0u; k < min(4u, p.out_width - j); k++) { out[row * p.out_width + j + k] = sum[k]; }`,
  }))
  const [, O, OH, OW] = out.shape
  const [, , H, W] = x.shape
  const [, , KH, KW] = weight.shape
  const runs = (sizeOf(out.shape) / OW) * Math.ceil(OW / 4)
  const inputs = bias === null ? [x, weight] : [x, weight, bias]
  const params = [runs, O / groups, H, W, O, OH, OW, KH, KW, stride, top, left]
  runtime.run(kernel, inputs, [out], params, spread(Math.ceil(runs / LANES)))
}
