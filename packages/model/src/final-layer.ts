import { finalModulation } from '@dit/adaln'
import { linear, scope, type Tensor } from '@dit/tensor'
import { traceModulation } from './blocks/ada-ln.js'
import { type DiTConfig, numTokens, outChannels } from './config.js'
import { linearLayer, type ParameterTable } from './parameter-spec.js'
import type { ReadParameter } from './parameter-source.js'
import { LAYER_NORM_EPSILON, modulatedNorm, normParameters, plainNorm } from './parts/norm.js'
import { type Trace, under } from './trace.js'

const NORM = 'final_layer.norm_final'

/** Whether the vector c reaches the network by scales and shifts. */
function isModulated({ block }: DiTConfig): boolean {
  return block !== 'cross-attention' && block !== 'in-context'
}

/** Parameters of `finalLayer`. */
export function finalParameters(config: DiTConfig): ParameterTable {
  const { hiddenSize: D, patchSize: P } = config
  return {
    ...normParameters(config, NORM, D, false),
    ...linearLayer('final_layer.linear', [P * P * outChannels(config), D], numTokens(config), 'zeros'),
    ...(isModulated(config) ? linearLayer('final_layer.adaLN_modulation.1', [2 * D, D], 1, 'zeros') : {}),
  }
}

/**
 * The last layer: tokens to patches.
 *
 *   patches = (norm(x) * (1 + scale) + shift) W^T + bias
 *
 * Where blocks are not modulated, it is not, either: it then has the norm alone.
 *
 * @param x     `[B, N, D]`
 * @param siluC SiLU of the conditioning vector, `[B, D]`
 * @returns `[B, N, P P C_out]`, in the order that `unpatchify` reads
 *
 * Peebles & Xie 2022, section 3.2 ("Transformer decoder").
 */
export function finalLayer(x: Tensor, siluC: Tensor, param: ReadParameter, config: DiTConfig, trace: Trace): Tensor {
  return scope(() => {
    const normed = isModulated(config)
      ? modulated(x, siluC, param, config, trace)
      : plainNorm(x, config, param, NORM, LAYER_NORM_EPSILON) // [B, N, D]
    const patches = linear(normed, param('final_layer.linear.weight'), param('final_layer.linear.bias')) // [B, N, P P C_out]
    trace('final_layer', patches)
    return patches
  })
}

function modulated(x: Tensor, siluC: Tensor, param: ReadParameter, config: DiTConfig, trace: Trace): Tensor {
  return scope(() => {
    const { shift, scale } = finalModulation(
      siluC,
      param('final_layer.adaLN_modulation.1.weight'),
      param('final_layer.adaLN_modulation.1.bias'),
    ) // 2 x [B, D]
    traceModulation(under('final_layer', trace), [shift, scale])
    return modulatedNorm(x, { shift, scale }, config, param, NORM, LAYER_NORM_EPSILON) // [B, N, D]
  })
}
