import type { Kernels } from '@dit/tensor'
import type { Runner } from '../runner.js'
import { adamwKernel } from './adamw.js'
import { attentionKernels } from './attention.js'
import { convolutionKernels } from './convolution.js'
import { elementwiseKernels } from './elementwise.js'
import { gatedResidualKernels } from './gated-residual.js'
import { groupNormKernels } from './group-norm.js'
import { indexingKernels } from './indexing.js'
import { layerNormKernels } from './layer-norm.js'
import { linearKernels } from './linear.js'
import { matrixKernels } from './matrix.js'
import { upsampleKernels } from './upsample.js'

/**
 * All kernels over the ops of one engine. Poolings are not among them: `tf.maxPool` overlooks NaN on the cpu engine and gives
 * -Infinity for it on the wasm engine, as `tf.avgPool` does there.
 */
export function kernelsFor(runner: Runner): Kernels {
  return {
    ...elementwiseKernels(runner),
    ...indexingKernels(runner),
    ...matrixKernels(runner),
    ...linearKernels(runner),
    ...layerNormKernels(runner),
    ...attentionKernels(runner),
    ...gatedResidualKernels(runner),
    ...adamwKernel(runner),
    ...convolutionKernels(runner),
    ...groupNormKernels(runner),
    ...upsampleKernels(runner),
  }
}
