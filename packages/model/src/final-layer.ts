import { finalModulation } from '@dit/adaln'
import { layerNormModulate, linear, scope, type Tensor } from '@dit/tensor'
import { LAYER_NORM_EPSILON, traceModulation } from './block.js'
import type { ReadParameter } from './parameter-source.js'
import { type Trace, under } from './trace.js'

/**
 * The last layer: tokens to patches.
 *
 *   patches = (layerNorm(x) * (1 + scale) + shift) W^T + bias
 *
 * @param x     `[B, N, D]`
 * @param siluC SiLU of the conditioning vector, `[B, D]`
 * @returns `[B, N, P P C_out]`, in the order that `unpatchify` reads
 *
 * Peebles & Xie 2022, section 3.2 ("Transformer decoder").
 */
export function finalLayer(x: Tensor, siluC: Tensor, param: ReadParameter, trace: Trace): Tensor {
  return scope(() => {
    const { shift, scale } = finalModulation(
      siluC,
      param('final_layer.adaLN_modulation.1.weight'),
      param('final_layer.adaLN_modulation.1.bias'),
    ) // 2 x [B, D]
    traceModulation(under('final_layer', trace), [shift, scale])
    const normed = layerNormModulate(x, shift, scale, LAYER_NORM_EPSILON) // [B, N, D]
    const patches = linear(normed, param('final_layer.linear.weight'), param('final_layer.linear.bias')) // [B, N, P P C_out]
    trace('final_layer', patches)
    return patches
  })
}
