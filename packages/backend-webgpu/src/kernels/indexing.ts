import { type RequiredKernels, sizeOf } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'

const WORKGROUP = 256
const GRID_INDEX = `  let i = (wg.x + wg.y * groups.x) * ${WORKGROUP}u + lane;`

export function indexingKernels(runtime: Runtime): Pick<RequiredKernels, 'gather' | 'scatterAdd'> {
  return {
    gather(table, indices, out) {
      const size = sizeOf(out.shape)
      const kernel = runtime.kernel('gather', () => ({
        label: 'gather',
        storage: [reads('rows', 'u32'), reads('indices', 'u32'), writes('out', 'u32')],
        params: [
          ['n', 'u32'],
          ['width', 'u32'],
        ],
        workgroupSize: [WORKGROUP, 1, 1],
        body: `${GRID_INDEX}
  if (i >= p.n) { return; }
  out[i] = rows[indices[i / p.width] * p.width + i % p.width];`,
      }))
      const groups = spread(Math.ceil(size / WORKGROUP))
      runtime.run(kernel, [table, indices], [out], [size, table.shape[1]], groups)
    },
    scatterAdd(indices, updates, out) {
      // Each result looks through all indices: no atomics, and the same sums in the same order every time.
      const size = sizeOf(out.shape)
      const kernel = runtime.kernel('scatterAdd', () => ({
        label: 'scatterAdd',
        storage: [reads('indices', 'u32'), reads('updates'), writes('out')],
        params: [
          ['n', 'u32'],
          ['width', 'u32'],
          ['count', 'u32'],
        ],
        workgroupSize: [WORKGROUP, 1, 1],
        body: `${GRID_INDEX}
  if (i >= p.n) { return; }
  let row = i / p.width;
  let column = i % p.width;
  var sum = 0.0;
  for (var k = 0u; k < p.count; k++) {
    if (indices[k] == row) { sum += updates[k * p.width + column]; }
  }
  out[i] = sum;`,
      }))
      const params = [size, out.shape[1], indices.shape[0]]
      runtime.run(kernel, [indices, updates], [out], params, spread(Math.ceil(size / WORKGROUP)))
    },
  }
}
