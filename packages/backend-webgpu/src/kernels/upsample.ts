import { type ImageKernels, sizeOf } from '@dit/tensor'
import { reads, writes } from '../runtime/kernel.js'
import { type Runtime, spread } from '../runtime/runtime.js'

const LANES = 256

export function upsampleKernels(runtime: Runtime): Pick<ImageKernels, 'upsample2x' | 'upsample2xBackward'> {
  const source = (label: string, names: readonly [string, string], line: string) => ({
    label,
    storage: [reads(names[0]), writes(names[1])],
    params: [
      ['n', 'u32'],
      ['width', 'u32'],
    ] as const,
    workgroupSize: [LANES, 1, 1] as const,
    body: `  let i = (wg.x + wg.y * groups.x) * ${LANES}u + lane;
  if (i >= p.n) { return; }
  let row = i / p.width;
  let column = i % p.width;
  ${line}`,
  })
  return {
    upsample2x(x, out) {
      const [size, width] = [sizeOf(out.shape), out.shape[3]]
      // Row pairs follow each other: row 2r and 2r + 1 of all images together come from row r.
      const line = 'out[i] = x[(row / 2u) * (p.width / 2u) + column / 2u];'
      const kernel = runtime.kernel('upsample2x', () => source('upsample2x', ['x', 'out'], line))
      runtime.run(kernel, [x], [out], [size, width], spread(Math.ceil(size / LANES)))
    },
    upsample2xBackward(dout, dx) {
      const [size, width] = [sizeOf(dx.shape), dx.shape[3]]
      const line = `let at = 4u * row * p.width + 2u * column;
  dx[i] = (dout[at] + dout[at + 1u]) + (dout[at + 2u * p.width] + dout[at + 2u * p.width + 1u]);`
      const kernel = runtime.kernel('upsample2xBackward', () => source('gradient of upsample2x', ['dout', 'dx'], line))
      runtime.run(kernel, [dout], [dx], [size, width], spread(Math.ceil(size / LANES)))
    },
  }
}
