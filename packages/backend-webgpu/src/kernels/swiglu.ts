import { type ModernKernels, sizeOf } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { precise } from '../wgsl/functions.js'

const LANES = 256

/** An invocation for each element of the result. */
export function swigluKernels(runtime: Runtime): Pick<ModernKernels, 'swiglu' | 'swigluBackward'> {
  const start = `  let i = (wg.x + wg.y * groups.x) * ${LANES}u + lane;
  if (i >= p.n) { return; }
  let gate_at = i / p.width * 2u * p.width + i % p.width;
  let gate = x[gate_at];
  let value = x[gate_at + p.width];`
  const shared = {
    params: [
      ['n', 'u32'],
      ['width', 'u32'],
    ] as const,
    workgroupSize: [LANES, 1, 1] as const,
    declarations: precise('f32'),
  }
  return {
    swiglu(x, out) {
      const kernel = runtime.kernel('swiglu', () => ({
        ...shared,
        label: 'swiglu',
        storage: [reads('x'), writes('out')],
        body: `${start}
  out[i] = silu_of(gate) * value;`,
      }))
      const size = sizeOf(out.shape)
      runtime.run(kernel, [x], [out], [size, out.shape[1]], spread(Math.ceil(size / LANES)))
    },
    swigluBackward(x, dout, dx) {
      const kernel = runtime.kernel('swigluBackward', () => ({
        ...shared,
        label: 'gradient of swiglu',
        storage: [reads('x'), reads('dout'), writes('dx')],
        body: `${start}
  dx[gate_at] = dout[i] * value * silu_slope(gate);
  dx[gate_at + p.width] = dout[i] * silu_of(gate);`,
      }))
      const size = sizeOf(dout.shape)
      runtime.run(kernel, [x, dout], [dx], [size, dout.shape[1]], spread(Math.ceil(size / LANES)))
    },
  }
}
