import { type InferenceKernels, type PoolWindow, sizeOf, type View } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'

const LANES = 256

const PARAMS = [
  'n',
  'height',
  'width',
  'out_height',
  'out_width',
  'window_height',
  'window_width',
  'stride_height',
  'stride_width',
  'top',
  'left',
] as const

/** What becomes of the pixels of a window, one after another, and of the last. */
interface Pooling {
  readonly start: string
  readonly join: string
  readonly finish: string
}

const MAXIMUM: Pooling = {
  start: 'x[first + begin.y * p.width + begin.x]',
  // Drivers differ in what their max makes of NaN.
  join: 'select(result + value, max(result, value), (result == result) & (value == value))',
  finish: 'result',
}

const AVERAGE: Pooling = {
  start: '0.0',
  join: 'result + value',
  finish: 'result / f32((end.y - begin.y) * (end.x - begin.x))',
}

/** An invocation for each pixel of the result walks over what its window sees of the image. */
export function poolingKernels(runtime: Runtime): Pick<InferenceKernels, 'maxPool2d' | 'averagePool2d'> {
  function pool(name: string, { start, join, finish }: Pooling, x: View, window: PoolWindow, out: View): void {
    const kernel = runtime.kernel(name, () => ({
      label: name,
      storage: [reads('x'), writes('out')],
      params: PARAMS.map((param) => [param, 'u32'] as const),
      workgroupSize: [LANES, 1, 1],
      body: `  let i = (wg.x + wg.y * groups.x) * ${LANES}u + lane;
  if (i >= p.n) { return; }
  let place = vec2<u32>(i % p.out_width, (i / p.out_width) % p.out_height);
  let first = (i / (p.out_width * p.out_height)) * p.height * p.width;
  // Counted from the corner of the padded image.
  let at = place * vec2<u32>(p.stride_width, p.stride_height);
  let corner = vec2<u32>(p.left, p.top);
  let begin = max(at, corner) - corner;
  let end = min(at + vec2<u32>(p.window_width, p.window_height) - corner, vec2<u32>(p.width, p.height));
  var result = ${start};
  for (var y = begin.y; y < end.y; y++) {
    for (var column = begin.x; column < end.x; column++) {
      let value = x[first + y * p.width + column];
      result = ${join};
    }
  }
  out[i] = ${finish};`,
    }))
    const [, , H, W] = x.shape
    const n = sizeOf(out.shape)
    const { height, width, strideHeight, strideWidth, top, left } = window
    const params = [n, H, W, ...out.shape.slice(2), height, width, strideHeight, strideWidth, top, left]
    runtime.run(kernel, [x], [out], params, spread(Math.ceil(n / LANES)))
  }

  return {
    maxPool2d: (x, window, out) => pool('maxPool2d', MAXIMUM, x, window, out),
    averagePool2d: (x, window, out) => pool('averagePool2d', AVERAGE, x, window, out),
  }
}
