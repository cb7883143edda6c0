import { stopGradient } from '../autograd/tape.js'
import { add, div, maximum } from '../ops/binary.js'
import { checkFloats } from '../ops/check-floats.js'
import { full } from '../ops/create.js'
import { accumulate } from '../ops/in-place.js'
import { matmul } from '../ops/matmul.js'
import { sum } from '../ops/reduce.js'
import { reshape } from '../ops/shape.js'
import { affine, sqrt, square } from '../ops/unary.js'
import { scope } from '../scope.js'
import { formatShape, sameShape } from '../shape.js'
import { commonBackend, type Tensor } from '../tensor.js'
import { decay } from './adamw.js'

/** Settings of the Newton-Schulz iteration. */
export interface OrthogonaliseOptions {
  /** Iterations (default 5). */
  readonly numSteps?: number
  /** a, b, c of the polynomial (default 3.4445, -4.775, 2.0315: steep at 0, so that small singular values grow fast). */
  readonly coefficients?: readonly [a: number, b: number, c: number]
  /** Keeps the first division from being one by 0 (default 1e-7). */
  readonly epsilon?: number
  /** How: `added` to the norm (default), or as its `least` value, as in PyTorch. */
  readonly epsilonIs?: 'added' | 'least'
}

/**
 * A matrix with the singular vectors of another and singular values near 1 (0.7 to 1.2), by a Newton-Schulz iteration.
 *
 *   X <- X / (|X| + epsilon)
 *   X <- a X + (b A + c A^2) X          A = X X^T, numSteps times
 *
 * The smaller side comes first, so that A is small. The code of Muon iterates in bfloat16; here it is the engine's own type.
 *
 * @param x `[..., rows, columns]`
 * @returns shape of `x`; the caller disposes of it
 * @throws RangeError for fewer than two axes, or options that are no such numbers
 *
 * Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".
 */
export function orthogonalise(x: Tensor, options: OrthogonaliseOptions = {}): Tensor {
  const { numSteps = 5, coefficients = [3.4445, -4.775, 2.0315], epsilon = 1e-7, epsilonIs = 'added' } = options
  checkFloats('orthogonalise', [x])
  if (x.shape.length < 2) {
    throw new RangeError(`orthogonalise: x must be a matrix or several (got ${formatShape(x.shape)})`)
  }
  if (!Number.isInteger(numSteps) || numSteps < 0) {
    throw new RangeError(`orthogonalise: numSteps must be a whole number, 0 or more (got ${numSteps})`)
  }
  if (!['added', 'least'].includes(epsilonIs)) {
    throw new RangeError(`orthogonalise: epsilonIs must be added or least (got ${epsilonIs})`)
  }
  const [a, b, c] = coefficients
  const isTall = x.shape.at(-2)! > x.shape.at(-1)!
  return scope(() => {
    const norm = sqrt(sum(square(x), [x.shape.length - 2, x.shape.length - 1], { keepDims: true }))
    const divisor =
      epsilonIs === 'added'
        ? affine(norm, 1, epsilon)
        : maximum(norm, full([], epsilon, { backend: x.backend, dtype: x.dtype }))
    let X = div(x, divisor)
    // A tall matrix stays as it lies: A = X^T X then stands on its right.
    for (let i = 0; i < numSteps; i++) {
      const A = matmul(X, X, isTall ? { transposeA: true } : { transposeB: true })
      const B = add(affine(A, b), affine(matmul(A, A), c))
      X = add(affine(X, a), isTall ? matmul(X, B) : matmul(B, X))
    }
    return X
  })
}

/** Tensors of one shape that a Muon step reads and writes. */
export interface MuonState {
  /** A matrix `[rows, columns]`, several of them, or a convolution kernel `[out, in, height, width]`; updated in place. */
  readonly parameter: Tensor
  readonly gradient: Tensor
  /** Running mean of gradients, updated in place; zeros before the first step. */
  readonly momentum: Tensor
}

export interface MuonStep extends OrthogonaliseOptions {
  readonly learningRate: number
  /** Decoupled: multiplied by the learning rate as it is given (default 0). */
  readonly weightDecay?: number
  /** Of the running mean (default 0.95). */
  readonly beta?: number
  /** Look a step ahead (default true). */
  readonly nesterov?: boolean
  /**
   * How steps grow with the size of the matrix: `original` is sqrt(max(1, rows / columns)) over the last two axes (for a
   * convolution those are the sides of its kernel, as in the code of Muon); `matchRms` is 0.2 sqrt(max(rows, columns)), with
   * which learning rates and decays of AdamW fit.
   */
  readonly scale?: 'original' | 'matchRms'
  /** By which the gradient is to be multiplied (default 1). */
  readonly gradientScale?: number
}

/**
 * One step of Muon in place: momentum whose singular values are made alike.
 *
 *   momentum <- beta momentum + (1 - beta) g
 *   u         = (1 - beta) g + beta momentum         with nesterov, else momentum
 *   p        <- (1 - learningRate weightDecay) p - learningRate scale orthogonalise(u)
 *
 * A convolution kernel is taken as the matrix `[out, in height width]`.
 *
 * @throws RangeError when the shapes differ or are no matrices
 *
 * Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; Liu et al. 2025, "Muon is Scalable for LLM
 * Training" (`matchRms`, weight decay).
 */
export function muon({ parameter, gradient, momentum }: MuonState, step: MuonStep): void {
  const { learningRate, weightDecay = 0, beta = 0.95, nesterov = true, scale = 'original', gradientScale = 1 } = step
  const tensors = [parameter, gradient, momentum]
  commonBackend('muon', tensors)
  checkFloats('muon', tensors)
  const { shape } = parameter
  if (shape.length < 2 || tensors.some((tensor) => !sameShape(tensor.shape, shape))) {
    throw new RangeError(
      `muon: parameter, gradient and momentum must be matrices of one shape (got ${tensors.map((tensor) => formatShape(tensor.shape)).join(', ')})`,
    )
  }
  const [rows, columns] = shape.slice(-2)
  if (scale !== 'original' && scale !== 'matchRms') {
    throw new RangeError(`muon: scale must be original or matchRms (got ${String(scale)})`)
  }
  const factor =
    scale === 'original' ? Math.sqrt(Math.max(1, rows / columns)) : 0.2 * Math.sqrt(Math.max(rows, columns))
  stopGradient(() =>
    scope(() => {
      const share = gradientScale * (1 - beta)
      decay(momentum, beta)
      accumulate(momentum, gradient, share)
      const ahead = nesterov ? add(affine(gradient, share), affine(momentum, beta)) : momentum
      const matrix = shape.length === 4 ? reshape(ahead, [shape[0], -1]) : ahead
      const update = reshape(orthogonalise(matrix, step), shape)
      if (weightDecay !== 0) decay(parameter, 1 - learningRate * weightDecay)
      accumulate(parameter, update, -learningRate * factor)
    }),
  )
}
