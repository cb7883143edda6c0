import type { AdamWStep } from '../backend.js'
import { checkFloats } from '../ops/check-floats.js'
import { accumulate } from '../ops/in-place.js'
import { div } from '../ops/binary.js'
import { affine, sqrt, square } from '../ops/unary.js'
import { scope } from '../scope.js'
import { stopGradient } from '../autograd/tape.js'
import { formatShape, sameShape } from '../shape.js'
import { commonBackend, type Tensor } from '../tensor.js'

/** Tensors of one shape that an AdamW step reads and writes. */
export interface AdamWState {
  /** Updated in place. */
  readonly parameter: Tensor
  readonly gradient: Tensor
  /** First moment, updated in place; zeros before the first step. */
  readonly m: Tensor
  /** Second moment, updated in place; zeros before the first step. */
  readonly v: Tensor
  /** Exponential moving average of the parameter, updated in place, or null. */
  readonly ema: Tensor | null
}

/**
 * One AdamW step in place, with an optional EMA of the result:
 *
 *   g <- gradientScale g
 *   p <- (1 - learningRate weightDecay) p
 *   m <- beta1 m + (1 - beta1) g
 *   v <- beta2 v + (1 - beta2) g^2
 *   p <- p - learningRate / (1 - beta1^step) m / (sqrt(v) / sqrt(1 - beta2^step) + epsilon)
 *   ema <- emaDecay ema + (1 - emaDecay) p
 *
 * @throws RangeError when the shapes differ or `step` is not a positive integer
 *
 * Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2, in the order of operations of PyTorch.
 */
export function adamw({ parameter, gradient, m, v, ema }: AdamWState, step: AdamWStep): void {
  const tensors = [parameter, gradient, m, v, ...(ema === null ? [] : [ema])]
  const backend = commonBackend('adamw', tensors)
  if (tensors.some(({ shape }) => !sameShape(shape, parameter.shape))) {
    throw new RangeError(
      `adamw: shapes must be equal (got ${tensors.map(({ shape }) => formatShape(shape)).join(', ')})`,
    )
  }
  checkFloats('adamw', tensors)
  if (!Number.isInteger(step.step) || step.step < 1) {
    throw new RangeError(`adamw: step must be a positive integer (got ${step.step})`)
  }
  const { adamw: fused } = backend.kernels
  if (fused !== undefined) fused(parameter, gradient, m, v, ema, step)
  else stopGradient(() => scope(() => composed({ parameter, gradient, m, v, ema }, step)))
}

function composed({ parameter, gradient, m, v, ema }: AdamWState, step: AdamWStep): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay, gradientScale, emaDecay } = step
  const g = gradientScale === 1 ? gradient : affine(gradient, gradientScale)
  if (weightDecay !== 0) decay(parameter, 1 - learningRate * weightDecay)
  decay(m, beta1)
  accumulate(m, g, 1 - beta1)
  decay(v, beta2)
  accumulate(v, square(g), 1 - beta2)
  const denominator = affine(sqrt(v), 1 / Math.sqrt(1 - beta2 ** step.step), epsilon)
  accumulate(parameter, div(m, denominator), -learningRate / (1 - beta1 ** step.step))
  if (ema !== null) updateEma(ema, parameter, emaDecay)
}

/**
 * ema <- emaDecay ema + (1 - emaDecay) parameter, in place.
 *
 * @throws RangeError when the shapes differ
 */
export function updateEma(ema: Tensor, parameter: Tensor, emaDecay: number): void {
  if (!sameShape(ema.shape, parameter.shape)) {
    throw new RangeError(
      `updateEma: shapes must be equal (got ${formatShape(ema.shape)} and ${formatShape(parameter.shape)})`,
    )
  }
  decay(ema, emaDecay)
  accumulate(ema, parameter, 1 - emaDecay)
}

/** x <- factor x */
export function decay(x: Tensor, factor: number): void {
  checkFloats('updateEma', [x])
  x.backend.kernels.affine(x, factor, 0, x)
}
