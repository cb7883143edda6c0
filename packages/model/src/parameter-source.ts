import type { Backend, Params, Shape, Tensor } from '@dit/tensor'

/**
 * Parameters that the engine does not hold in its `float` type: `forward` asks for each where the network reads it, and lets go of
 * it when that part of the network is done.
 *
 * For inference: nothing is differentiated by them.
 */
export interface ParameterSource {
  /** The engine that `load` brings parameters to. */
  readonly backend: Backend
  /** Name and shape of every parameter. */
  readonly shapes: Readonly<Record<string, Shape>>
  /**
   * A new tensor on the engine, in its `float` type, or in half precision where it is the weight of a linear layer and the engine
   * reads those: the caller's, or its scope's, to dispose of, which leaves the source as it is.
   */
  load(name: string): Tensor
  /** Gives back what the source holds, here and on the engine. */
  dispose(): void
}

export function isParameterSource(params: Params | ParameterSource): params is ParameterSource {
  return typeof params['load'] === 'function'
}

/** How the network reads its parameters, wherever they are. */
export type ReadParameter = (name: string) => Tensor

export function parameterReader(params: Params | ParameterSource): ReadParameter {
  return isParameterSource(params) ? (name) => params.load(name) : (name) => params[name]
}
