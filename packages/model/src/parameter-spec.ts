import type { Shape } from '@dit/tensor'

/**
 * What a parameter of a fresh model holds:
 *
 * - `xavier`: uniform within sqrt(6 / (fan in + fan out)), all but the first axis of the shape as one input vector;
 * - `normal`: normal with deviation 0.02;
 * - `sincos`: the sine-cosine table of the configuration's grid;
 * - `zeros`, `ones`.
 */
export type Init = 'xavier' | 'normal' | 'sincos' | 'zeros' | 'ones'

/** What there is to know of a parameter besides its values. */
export interface ParameterSpec {
  readonly shape: Shape
  readonly init: Init
  /** Whether training changes it. */
  readonly isTrainable: boolean
  /** How many times its matrix is applied for one picture: once for each token that it sees, once for what is made once, 0 for what is no matrix. */
  readonly uses: number
}

/** Parameters by name, in the order of a state dict. */
export type ParameterTable = Readonly<Record<string, ParameterSpec>>

/** A linear layer: weight `[outputs, inputs]`, as in a PyTorch state dict, and a bias of zeros. */
export function linearLayer(
  name: string,
  [outputs, inputs]: readonly [outputs: number, inputs: number],
  uses: number,
  init: Init = 'xavier',
): ParameterTable {
  return { [`${name}.weight`]: trained([outputs, inputs], init, uses), [`${name}.bias`]: trained([outputs], 'zeros') }
}

/** A parameter that training changes. */
export function trained(shape: Shape, init: Init, uses = 0): ParameterSpec {
  return { shape, init, isTrainable: true, uses }
}
