import { blockModulation } from '@dit/adaln'
import {
  attention,
  concat,
  gatedResidual,
  layerNorm,
  layerNormModulate,
  linear,
  scope,
  stopGradient,
  type Tensor,
} from '@dit/tensor'
import type { DiTConfig } from './config.js'
import type { ReadParameter } from './parameter-source.js'
import { ignore, type Trace } from './trace.js'

/** Added to the variance in every layer norm of DiT, which is not the usual 1e-5. */
export const LAYER_NORM_EPSILON = 1e-6

/**
 * One adaLN-Zero block: attention, then an MLP, each on normalised and modulated tokens and each added through a gate.
 *
 *   x = x + gateMsa * attention(layerNorm(x) * (1 + scaleMsa) + shiftMsa)
 *   x = x + gateMlp * mlp(layerNorm(x) * (1 + scaleMlp) + shiftMlp)
 *
 * @param x     tokens, `[B, N, D]`
 * @param siluC SiLU of the conditioning vector, `[B, D]`
 * @param param the block's parameters by name, such as `attn.qkv.weight`
 * @returns `[B, N, D]`
 *
 * Peebles & Xie 2022, section 3.2 and figure 3.
 */
export function ditBlock(
  x: Tensor,
  siluC: Tensor,
  param: ReadParameter,
  { numHeads, mlpNormEpsilon = LAYER_NORM_EPSILON }: Pick<DiTConfig, 'numHeads' | 'mlpNormEpsilon'>,
  trace: Trace = ignore,
): Tensor {
  return scope(() => {
    const { shiftMsa, scaleMsa, gateMsa, shiftMlp, scaleMlp, gateMlp } = blockModulation(
      siluC,
      param('adaLN_modulation.1.weight'),
      param('adaLN_modulation.1.bias'),
    ) // 6 x [B, D]
    traceModulation(trace, [shiftMsa, scaleMsa, gateMsa, shiftMlp, scaleMlp, gateMlp])

    traceNorm(trace, 'norm1', x, LAYER_NORM_EPSILON)
    const toMix = layerNormModulate(x, shiftMsa, scaleMsa, LAYER_NORM_EPSILON) // [B, N, D]
    const qkv = linear(toMix, param('attn.qkv.weight'), param('attn.qkv.bias')) // [B, N, 3 D]
    trace('attn.qkv', qkv)
    const mixed = linear(attention(qkv, numHeads), param('attn.proj.weight'), param('attn.proj.bias')) // [B, N, D]
    trace('attn', mixed)
    const between = gatedResidual(x, gateMsa, mixed) // [B, N, D]

    traceNorm(trace, 'norm2', between, mlpNormEpsilon)
    const toMlp = layerNormModulate(between, shiftMlp, scaleMlp, mlpNormEpsilon) // [B, N, D]
    const hidden = linear(toMlp, param('mlp.fc1.weight'), param('mlp.fc1.bias'), { activation: 'gelu' }) // [B, N, mlpRatio D]
    const mlp = linear(hidden, param('mlp.fc2.weight'), param('mlp.fc2.bias')) // [B, N, D]
    trace('mlp', mlp)
    const out = gatedResidual(between, gateMlp, mlp) // [B, N, D]
    trace('', out)
    return out
  })
}

/** The parts as the one vector they were cut from. */
export function traceModulation(trace: Trace, parts: readonly Tensor[]): void {
  if (trace !== ignore)
    trace(
      'adaLN_modulation',
      stopGradient(() => concat(parts, 1)),
    )
}

/** Normalised tokens do not exist by themselves in the fused kernel. */
function traceNorm(trace: Trace, name: string, x: Tensor, epsilon: number): void {
  if (trace !== ignore)
    trace(
      name,
      stopGradient(() => layerNorm(x, epsilon)),
    )
}
