import { sizesOf, timestepFeatures, type ScalingConfig } from './config.js'

/** Parameters of a model, in all and by part. */
export interface ParameterCount {
  /** Everything a checkpoint holds, a fixed position table included. */
  readonly total: number
  /** What training changes; the figure that papers give. */
  readonly trainable: number
  /** Adds up to `total`. */
  readonly groups: {
    readonly patchEmbedding: number
    readonly positions: number
    readonly timestep: number
    readonly labels: number
    /** All blocks together. */
    readonly blocks: number
    readonly final: number
  }
  /** One block, by layer; `depth` times their sum is `groups.blocks`. */
  readonly block: {
    readonly qkv: number
    readonly proj: number
    readonly mlp: number
    readonly modulation: number
  }
}

/**
 * Number of parameters of a diffusion transformer with adaLN-Zero blocks. With `M = floor(mlpRatio D)`:
 *
 *   block  = 3 D (D + 1) + D (D + 1) + (D M + M) + (M D + D) + 6 D (D + 1)
 *   total  = depth block + patch embedding + N D positions + timestep + labels + final
 *
 * Layer norms have no parameters. The label table has a row for the null class only if `classDropout > 0`. The position
 * table counts into `total` even when it is fixed, since a checkpoint holds it, and into `trainable` only when it is learned.
 *
 *     countParameters(config).trainable // 674834720 for DiT-XL/2 at 256 pixels
 *
 * @throws RangeError on a configuration that no model can have
 *
 * Peebles & Xie 2022, "Scalable Diffusion Models with Transformers", table 4 gives the trainable ones.
 */
export function countParameters(config: ScalingConfig): ParameterCount {
  const { N, D, M, depth, patchIn, patchOut, labelRows, timestepRows, arePositionsTrained } = sizesOf(
    'countParameters',
    config,
  )
  const block = {
    qkv: linear(D, 3 * D),
    proj: linear(D, D),
    mlp: linear(D, M) + linear(M, D),
    modulation: linear(D, 6 * D),
  }
  const groups = {
    patchEmbedding: linear(patchIn, D),
    positions: N * D,
    timestep: timestepRows === undefined ? linear(timestepFeatures, D) + linear(D, D) : timestepRows * D,
    labels: labelRows * D,
    blocks: depth * (block.qkv + block.proj + block.mlp + block.modulation),
    final: linear(D, 2 * D) + linear(D, patchOut),
  }
  const total = Object.values(groups).reduce((sum, count) => sum + count, 0)
  return { total, trainable: arePositionsTrained ? total : total - groups.positions, groups, block }
}

/** Weights and biases of a linear layer. */
function linear(inputs: number, outputs: number): number {
  return inputs * outputs + outputs
}
