import type { RequiredKernels } from '@dit/tensor'
import type { Runtime } from '../runtime/runtime.js'
import { runProduct } from './product.js'

export function matmulKernel(runtime: Runtime): Pick<RequiredKernels, 'matmul'> {
  return {
    matmul(a, b, transposeA, transposeB, out) {
      const [G, M, N] = out.shape
      const K = a.shape[transposeA ? 1 : 2]
      runProduct(runtime, { a, b, extents: { G, M, N, K }, transposeA, transposeB, out, isExact: true })
    },
  }
}
