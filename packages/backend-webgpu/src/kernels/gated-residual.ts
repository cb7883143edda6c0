import { type FusedKernels, sizeOf } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'

const LANES = 256
const COLUMNS = 32

export function gatedResidualKernels(runtime: Runtime): Pick<FusedKernels, 'gatedResidual' | 'gatedResidualBackward'> {
  return {
    gatedResidual(x, gate, h, out) {
      if (runtime.deferred.gate({ x, gate, out }, h)) return
      const [, N, D] = x.shape
      const size = sizeOf(x.shape)
      const kernel = runtime.kernel('gatedResidual', () => ({
        label: 'gatedResidual',
        storage: [reads('x'), reads('gate'), reads('h'), writes('out')],
        params: [
          ['n', 'u32'],
          ['sample', 'u32'],
          ['width', 'u32'],
        ],
        workgroupSize: [LANES, 1, 1],
        body: `  let i = (wg.x + wg.y * groups.x) * ${LANES}u + lane;
  if (i >= p.n) { return; }
  out[i] = fma(gate[(i / p.sample) * p.width + i % p.width], h[i], x[i]);`,
      }))
      runtime.run(kernel, [x, gate, h], [out], [size, N * D, D], spread(Math.ceil(size / LANES)))
    },
    gatedResidualBackward(gate, h, dout, { dgate, dh }) {
      const [B, N, D] = h.shape
      const rowLanes = LANES / COLUMNS
      // A workgroup for some columns of a sample: dh as it goes, dgate at the end.
      const kernel = runtime.kernel('gatedResidualBackward', () => ({
        label: 'gradient of gatedResidual',
        storage: [reads('gate'), reads('h'), reads('dout'), writes('dgate'), writes('dh')],
        params: [
          ['tokens', 'u32'],
          ['width', 'u32'],
          ['blocks', 'u32'],
          ['count', 'u32'],
        ],
        workgroupSize: [LANES, 1, 1],
        declarations: `var<workgroup> parts: array<f32, ${LANES}>;`,
        body: `  let block = wg.x + wg.y * groups.x;
  if (block >= p.count) { return; }
  let sample = block / p.blocks;
  let column = (block % p.blocks) * ${COLUMNS}u + lane % ${COLUMNS}u;
  let first = lane / ${COLUMNS}u;
  var sum = 0.0;
  if (column < p.width) {
    let factor = gate[sample * p.width + column];
    for (var token = first; token < p.tokens; token += ${rowLanes}u) {
      let at = (sample * p.tokens + token) * p.width + column;
      let gradient = dout[at];
      dh[at] = factor * gradient;
      sum = fma(gradient, h[at], sum);
    }
  }
  parts[lane] = sum;
  workgroupBarrier();
  if (first == 0u && column < p.width) {
    for (var i = 1u; i < ${rowLanes}u; i++) { sum += parts[lane + i * ${COLUMNS}u]; }
    dgate[sample * p.width + column] = sum;
  }`,
      }))
      const blocks = Math.ceil(D / COLUMNS)
      runtime.run(kernel, [gate, h, dout], [dgate, dh], [N, D, blocks, B * blocks], spread(B * blocks))
    },
  }
}
