import { sizesOf, timestepFeatures, type ScalingConfig } from './config.js'

/** Multiply-adds of one image, in all and by part. */
export interface MultiplyAddCount {
  /** One forward pass. This is what the DiT paper calls "flops". */
  readonly multiplyAdds: number
  /** One forward pass, a multiply-add counted as two operations. */
  readonly flops: number
  /** One training step: a forward pass and a backward pass that costs twice as much. */
  readonly trainingMultiplyAdds: number
  /** One training step, a multiply-add counted as two operations. */
  readonly trainingFlops: number
  /** Adds up to `multiplyAdds`. Labels are a look-up and cost none. */
  readonly groups: {
    readonly patchEmbedding: number
    readonly timestep: number
    /** All blocks together. */
    readonly blocks: number
    readonly final: number
  }
  /** One block, by product; `depth` times their sum is `groups.blocks`. */
  readonly block: {
    readonly qkv: number
    /** Queries times keys. */
    readonly scores: number
    /** Attention weights times values. */
    readonly values: number
    readonly proj: number
    readonly mlp: number
    readonly modulation: number
  }
}

/**
 * Multiply-adds of a diffusion transformer with adaLN-Zero blocks, for one image. With `M = floor(mlpRatio D)`:
 *
 *   block   = 3 N D^2 + N^2 D + N^2 D + N D^2 + 2 N D M + 6 D^2
 *   forward = depth block + N patchIn D + (256 D + D^2) + (2 D^2 + N D patchOut)
 *
 * Counted are the matrix products, the two of attention included. Not counted: biases, norms, activation functions,
 * softmax, gates and residuals (together about 0.02 % for the published models), the autoencoder around a latent model, and
 * recomputation. A timestep table costs nothing. Guided sampling runs two images for each one that comes out.
 *
 *     countMultiplyAdds(config).multiplyAdds // 118.6e9 for DiT-XL/2 at 256 pixels: 118.6 G multiply-adds, 237.2 GFLOPs
 *
 * @throws RangeError on a configuration that no model can have
 *
 * Peebles & Xie 2022, "Scalable Diffusion Models with Transformers", table 4: their "Gflops" are giga multiply-adds, and these
 * counts agree within 0.02.
 */
export function countMultiplyAdds(config: ScalingConfig): MultiplyAddCount {
  const { N, D, M, depth, patchIn, patchOut, timestepRows } = sizesOf('countMultiplyAdds', config)
  const block = {
    qkv: 3 * N * D ** 2,
    scores: N ** 2 * D,
    values: N ** 2 * D,
    proj: N * D ** 2,
    mlp: 2 * N * D * M,
    modulation: 6 * D ** 2,
  }
  const groups = {
    patchEmbedding: N * patchIn * D,
    timestep: timestepRows === undefined ? timestepFeatures * D + D ** 2 : 0,
    blocks: depth * Object.values(block).reduce((sum, count) => sum + count, 0),
    final: 2 * D ** 2 + N * D * patchOut,
  }
  const multiplyAdds = Object.values(groups).reduce((sum, count) => sum + count, 0)
  return {
    multiplyAdds,
    flops: 2 * multiplyAdds,
    trainingMultiplyAdds: 3 * multiplyAdds,
    trainingFlops: 6 * multiplyAdds,
    groups,
    block,
  }
}
