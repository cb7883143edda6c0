import type { Backend, Params, Shape, Tensor } from '@dit/tensor'

/**
 * Parameters that are not on the engine: `forward` asks for each where the network reads it, and lets go of it when that part
 * of the network is done. So no more than one block's parameters are there at a time.
 *
 * For inference: nothing is differentiated by them.
 */
export interface ParameterSource {
  /** The engine that `load` brings parameters to. */
  readonly backend: Backend
  /** Name and shape of every parameter. */
  readonly shapes: Readonly<Record<string, Shape>>
  /** A new tensor on the engine, in its `float` type: the caller's, or its scope's, to dispose of. */
  load(name: string): Tensor
}

export function isParameterSource(params: Params | ParameterSource): params is ParameterSource {
  return typeof params['load'] === 'function'
}

/** How the network reads its parameters, wherever they are. */
export type ReadParameter = (name: string) => Tensor

export function parameterReader(params: Params | ParameterSource): ReadParameter {
  return isParameterSource(params) ? (name) => params.load(name) : (name) => params[name]
}
