import { linear, scope, swiglu, type Tensor } from '@dit/tensor'
import type { DiTConfig } from '../config.js'
import { linearLayer, type ParameterTable } from '../parameter-spec.js'
import type { ReadParameter } from '../parameter-source.js'

/** Width of the hidden layer: mlpRatio D, and two thirds of it for SwiGLU, which has three matrices; both are rounded down. */
export function hiddenWidth({ hiddenSize: D, mlpRatio, mlp }: DiTConfig): number {
  const hidden = Math.floor(D * mlpRatio)
  return mlp === 'swiglu' ? Math.floor((2 / 3) * hidden) : hidden
}

/** Parameters of `mlp` on so many tokens. */
export function mlpParameters(config: DiTConfig, numTokens: number): ParameterTable {
  const { hiddenSize: D } = config
  const hidden = hiddenWidth(config)
  return config.mlp === 'swiglu'
    ? { ...linearLayer('mlp.w12', [2 * hidden, D], numTokens), ...linearLayer('mlp.w3', [D, hidden], numTokens) }
    : { ...linearLayer('mlp.fc1', [hidden, D], numTokens), ...linearLayer('mlp.fc2', [D, hidden], numTokens) }
}

/**
 * The MLP of a block:
 *
 *   gelu(x W1^T + b1) W2^T + b2                        `gelu`, tanh-approximated
 *   (silu(a) * b) W3^T + b3, [a, b] = x W12^T + b12    `swiglu`
 *
 * @param x `[B, N, D]`
 * @returns `[B, N, D]`
 *
 * Shazeer 2020, "GLU Variants Improve Transformer", eq. 6 (SwiGLU).
 */
export function mlp(x: Tensor, param: ReadParameter, config: DiTConfig): Tensor {
  return scope(() => {
    if (config.mlp !== 'swiglu') {
      const hidden = linear(x, param('mlp.fc1.weight'), param('mlp.fc1.bias'), { activation: 'gelu' }) // [B, N, mlpRatio D]
      return linear(hidden, param('mlp.fc2.weight'), param('mlp.fc2.bias')) // [B, N, D]
    }
    const hidden = swiglu(linear(x, param('mlp.w12.weight'), param('mlp.w12.bias'))) // [B, N, hidden]
    return linear(hidden, param('mlp.w3.weight'), param('mlp.w3.bias')) // [B, N, D]
  })
}
