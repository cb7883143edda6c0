import { type RequiredKernels, sizeOf } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'
import { rowReduction } from '../wgsl/row-reduction.js'

const LANES = 128

/** A workgroup for each row. */
export function softmaxKernels(runtime: Runtime): Pick<RequiredKernels, 'softmax' | 'softmaxBackward'> {
  return {
    softmax(x, out) {
      const width = x.shape.at(-1)!
      const rows = sizeOf(x.shape.slice(0, -1))
      const kernel = runtime.kernel('softmax', () => ({
        label: 'softmax',
        storage: [reads('x'), writes('out')],
        params: [
          ['rows', 'u32'],
          ['width', 'u32'],
        ],
        workgroupSize: [LANES, 1, 1],
        ...rowReduction(LANES, runtime.capabilities),
        body: `  let row = wg.x + wg.y * groups.x;
  if (row >= p.rows) { return; }
  let start = row * p.width;
  var largest = -3.4e38;
  for (var i = lane; i < p.width; i += ${LANES}u) { largest = max(largest, x[start + i]); }
  largest = row_max(lane, largest);
  var total = 0.0;
  for (var i = lane; i < p.width; i += ${LANES}u) { total += exp(x[start + i] - largest); }
  let inverse = 1.0 / row_sum(lane, total);
  for (var i = lane; i < p.width; i += ${LANES}u) { out[start + i] = exp(x[start + i] - largest) * inverse; }`,
      }))
      runtime.run(kernel, [x], [out], [rows, width], spread(rows))
    },
    softmaxBackward(y, dy, dx) {
      const width = y.shape.at(-1)!
      const rows = sizeOf(y.shape.slice(0, -1))
      const kernel = runtime.kernel('softmaxBackward', () => ({
        label: 'gradient of softmax',
        storage: [reads('y'), reads('dy'), writes('dx')],
        params: [
          ['rows', 'u32'],
          ['width', 'u32'],
        ],
        workgroupSize: [LANES, 1, 1],
        ...rowReduction(LANES, runtime.capabilities),
        body: `  let row = wg.x + wg.y * groups.x;
  if (row >= p.rows) { return; }
  let start = row * p.width;
  var product = 0.0;
  for (var i = lane; i < p.width; i += ${LANES}u) { product += y[start + i] * dy[start + i]; }
  let total = row_sum(lane, product);
  for (var i = lane; i < p.width; i += ${LANES}u) { dx[start + i] = y[start + i] * (dy[start + i] - total); }`,
      }))
      runtime.run(kernel, [y, dy], [dx], [rows, width], spread(rows))
    },
  }
}
