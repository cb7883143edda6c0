import type { Activation, ConvActivation } from '@dit/tensor'

/** What kernels apply to their results, in the order of `enum Activation` of csrc/functions.h. */
const activations: readonly (Activation | ConvActivation)[] = ['none', 'gelu', 'silu', 'relu', 'relu6']

/** The number that stands for an activation. */
export function activationNumber(activation: Activation | ConvActivation): number {
  return activations.indexOf(activation)
}
