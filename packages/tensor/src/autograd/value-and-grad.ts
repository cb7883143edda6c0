import { accumulate } from '../ops/in-place.js'
import { full, zeros } from '../ops/create.js'
import { dispose, registerInScope, scope } from '../scope.js'
import { formatShape } from '../shape.js'
import { empty, type Tensor } from '../tensor.js'
import { Tape, withRecorder } from './tape.js'

/** Tensors by name: the parameters of a model under their state-dict names, gradients, moments, averages. */
export type Params = Readonly<Record<string, Tensor>>

export interface GradientOptions {
  /**
   * Tensors that gradients are added to, by the same names, instead of being returned in new ones. Zero them first
   * where a fresh gradient is wanted.
   */
  readonly into?: Params
  /** Called during the backward pass as each gradient is complete (never for a parameter that was not used). */
  readonly onGradient?: (name: string, gradient: Tensor) => void
}

export interface ValueAndGradients<Aux> {
  /** Scalar. */
  readonly loss: Tensor
  /** Whatever else the function returned. */
  readonly aux: Aux
  /** By name; zeros for a parameter that the loss does not depend on. `into` itself where it was given. */
  readonly gradients: Params
}

/**
 * Value and gradients of a scalar function of named tensors (reverse-mode differentiation).
 *
 * ```js
 * const { loss, gradients } = valueAndGrad({ w }, () => ({ loss: mean(square(matmul(x, w))) }))
 * ```
 *
 * @param params tensors to differentiate by; what else `fn` uses is constant
 * @param fn     returns `{ loss, ...aux }`: a scalar, and anything else to hand on
 * @returns the caller disposes of the loss, the tensors in `aux` and the gradients
 * @throws RangeError when the loss is not a scalar
 */
export function valueAndGrad<Result extends { readonly loss: Tensor }>(
  params: Params,
  fn: (params: Params) => Result,
  { into, onGradient }: GradientOptions = {},
): ValueAndGradients<Omit<Result, 'loss'>> {
  const names = new Map(Object.entries(params).map(([name, tensor]) => [tensor.id, name]))
  return scope(() => {
    const tape = new Tape(Object.values(params))
    const gradients: Record<string, Tensor> = {}
    try {
      const { loss, ...aux } = withRecorder(tape, () => scope(() => fn(params)))
      if (loss.size !== 1)
        throw new RangeError(`valueAndGrad: the loss must be a scalar (got ${formatShape(loss.shape)})`)
      const seed = full(loss.shape, 1, { backend: loss.backend, dtype: loss.dtype })
      tape.backward(loss, seed, (leaf, gradient) => {
        const name = names.get(leaf.id)!
        const target = into?.[name]
        if (target === undefined) {
          gradients[name] = ownMemory(gradient)
        } else {
          accumulate(target, gradient)
          gradient.dispose()
        }
        onGradient?.(name, target ?? gradients[name])
      })
      for (const gradient of Object.values(gradients)) registerInScope(gradient)
      return { loss, aux, gradients: into ?? withZeros(params, gradients) }
    } catch (error) {
      dispose(gradients)
      throw error
    } finally {
      tape.release()
    }
  })
}

/** Gradients may share memory (those of a and b in a + b do), which shows when the caller changes one in place. */
function ownMemory(gradient: Tensor): Tensor {
  if (gradient.isSoleOwner) return gradient
  const copy = empty(gradient.backend, gradient.shape, gradient.dtype)
  copy.backend.kernels.copy(gradient, copy)
  gradient.dispose()
  return copy
}

/** In the order of `params`. */
function withZeros(params: Params, gradients: Params): Params {
  return Object.fromEntries(
    Object.entries(params).map(([name, { shape, backend, dtype }]) => [
      name,
      gradients[name] ?? zeros(shape, { backend, dtype }),
    ]),
  )
}
