import { accumulate, assign, fill } from '../ops/in-place.js'
import { full, zeros } from '../ops/create.js'
import { dispose, registerInScope, scope } from '../scope.js'
import { formatShape, sameShape } from '../shape.js'
import { describeValue, empty, Tensor } from '../tensor.js'
import { withDestinations } from './destinations.js'
import { currentRecorder, Tape, withRecorder } from './tape.js'

/** Tensors by name: the parameters of a model under their state-dict names, gradients, moments, averages. */
export type Params = Readonly<Record<string, Tensor>>

export interface GradientOptions {
  /** Tensors that gradients are added to, by the same names, instead of being returned in new ones. */
  readonly into?: Params
  /** Replaces what is in `into` instead of adding to it: false by default. */
  readonly overwrite?: boolean
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
 * There are no second derivatives: inside the function of another `valueAndGrad` it throws, but for a call in
 * `stopGradient`, whose results are constants to the outer one.
 *
 * ```js
 * const { loss, gradients } = valueAndGrad({ w }, () => ({ loss: mean(square(matmul(x, w))) }))
 * ```
 *
 * @param params tensors to differentiate by; what else `fn` uses is constant
 * @param fn     returns `{ loss, ...aux }`: a scalar, and anything else to hand on
 * @returns the caller disposes of the loss, the tensors in `aux` and the gradients
 * @throws RangeError when the loss is not a scalar, when one tensor has two names, or when `into` lacks a parameter
 * @throws TypeError when `fn` returns no object with a tensor as its loss, or for `overwrite` without `into`
 * @throws Error inside another `valueAndGrad`, unless in `stopGradient`
 */
export function valueAndGrad<Result extends { readonly loss: Tensor }>(
  params: Params,
  fn: (params: Params) => Result,
  { into, overwrite = false, onGradient }: GradientOptions = {},
): ValueAndGradients<Omit<Result, 'loss'>> {
  if (currentRecorder() !== null) {
    throw new Error(
      'valueAndGrad: it must not run inside another one, which would lack the second derivatives; ' +
        'to take its gradients as constants, call it in stopGradient',
    )
  }
  if (overwrite && into === undefined) throw new TypeError('valueAndGrad: overwrite needs into, which it overwrites')
  const names = namesById(params, into)
  return scope(() => {
    const tape = new Tape(Object.values(params))
    const gradients: Record<string, Tensor> = {}
    try {
      const { loss, ...aux } = withLoss(withRecorder(tape, () => scope(() => fn(params))))
      if (loss.size !== 1)
        throw new RangeError(`valueAndGrad: the loss must be a scalar (got ${formatShape(loss.shape)})`)
      const seed = full(loss.shape, 1, { backend: loss.backend, dtype: loss.dtype })
      const places = new Map(overwrite ? [...names].map(([id, name]) => [id, into![name]]) : [])
      const missing = new Set(places.keys())
      withDestinations(places, () =>
        tape.backward(loss, seed, (leaf, gradient) => {
          const name = names.get(leaf.id)!
          if (into === undefined) {
            gradients[name] = ownMemory(gradient)
          } else {
            try {
              if (!overwrite) accumulate(into[name], gradient)
              else if (!sameMemory(gradient, into[name])) assign(into[name], gradient)
            } finally {
              gradient.dispose()
            }
          }
          missing.delete(leaf.id)
          onGradient?.(name, (into ?? gradients)[name])
        }),
      )
      for (const id of missing) fill(places.get(id)!, 0)
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

function withLoss<Result extends { readonly loss: Tensor }>(result: Result): Result {
  const loss: unknown = (result as Result | null | undefined)?.loss
  if (loss instanceof Tensor) return result
  const isBare = result === null || typeof result !== 'object' || result instanceof Tensor
  const came = isBare ? describeValue(result) : `an object whose loss is ${describeValue(loss)}`
  throw new TypeError(`valueAndGrad: fn must return { loss }, where loss is a Tensor (it returned ${came})`)
}

/** Whether a gradient was written to its place at once. */
function sameMemory(a: Tensor, b: Tensor): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset
}

/** Gradients may share memory (those of a and b in a + b do), which shows when the caller changes one in place. */
function ownMemory(gradient: Tensor): Tensor {
  if (gradient.isSoleOwner) return gradient
  return scope(() => {
    registerInScope(gradient)
    const copy = empty(gradient.backend, gradient.shape, gradient.dtype)
    copy.backend.kernels.copy(gradient, copy)
    return copy
  })
}

function namesById(params: Params, into: Params | undefined): ReadonlyMap<number, string> {
  const names = new Map<number, string>()
  for (const [name, { id, shape }] of Object.entries(params)) {
    const twin = names.get(id)
    if (twin !== undefined) {
      throw new RangeError(`valueAndGrad: parameters must be different tensors (${twin} and ${name} are one)`)
    }
    const target = into?.[name]
    if (into !== undefined && (target === undefined || !sameShape(target.shape, shape))) {
      throw new RangeError(
        `valueAndGrad: into must hold ${formatShape(shape)} for ${name} (got ${target === undefined ? 'nothing' : formatShape(target.shape)})`,
      )
    }
    names.set(id, name)
  }
  return names
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
