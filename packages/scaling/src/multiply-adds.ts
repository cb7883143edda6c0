import {
  checkNetwork,
  type CountedNetwork,
  type CountedParameter,
  groupOf,
  lastBlock,
  type Layer,
  sizeOf,
} from './counted-network.js'
import type { BlockCount } from './parameters.js'

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
  /** Adds up to `multiplyAdds`. */
  readonly groups: {
    readonly patchEmbedding: number
    readonly timestep: number
    /** Layers that embed vectors and tokens; absent where there are only labels, a look-up. */
    readonly labels?: number
    /** All blocks together. */
    readonly blocks: number
    readonly final: number
  }
  /** One block, by product; `scores` are queries times keys, `values` attention weights times values. */
  readonly block: BlockCount<'qkv' | 'proj' | 'mlp' | 'modulation'> & {
    readonly scores: number
    readonly values: number
  }
}

/**
 * Multiply-adds of a network for one image: for each parameter its values times its uses, and the two products of attention in every block.
 * For a DiT with `M = floor(mlpRatio D)`:
 *
 *   block   = 3 N D^2 + N^2 D + N^2 D + N D^2 + 2 N D M + 6 D^2
 *   forward = depth block + N patchIn D + (256 D + D^2) + (2 D^2 + N D patchOut)
 *
 * Counted are the matrix products, the two of attention included. Not counted: biases, norms, activation functions,
 * softmax, gates, residuals and the turning of queries and keys (together about 0.02 % for the published models), the autoencoder around
 * a latent model, and recomputation. A timestep table costs nothing. Guided sampling runs two images for each one that comes out.
 *
 *     countMultiplyAdds(countedNetwork(ditConfig('DiT-XL/2'))).multiplyAdds // 118.6e9: 118.6 G multiply-adds, 237.2 GFLOPs
 *
 * @throws RangeError for a network that cannot be
 *
 * Peebles & Xie 2022, "Scalable Diffusion Models with Transformers", table 4: their "Gflops" are giga multiply-adds, and these
 * counts agree within 0.02.
 */
export function countMultiplyAdds(network: CountedNetwork): MultiplyAddCount {
  checkNetwork('countMultiplyAdds', network)
  const groups: { patchEmbedding: number; timestep: number; labels?: number; blocks: number; final: number } = {
    patchEmbedding: 0,
    timestep: 0,
    blocks: 0,
    final: 0,
  }
  for (const [name, parameter] of Object.entries(network.parameters)) {
    const group = groupOf(name)
    const cost = costOf(parameter)
    // Tables of positions and labels are looked up.
    if (group === 'positions' || cost === 0) continue
    groups[group] = (groups[group] ?? 0) + cost
  }
  for (const { scores, values } of network.attention) groups.blocks += scores + values
  const { scores = 0, values = 0 } = network.attention.at(-1) ?? {}
  const layers: Partial<Record<Layer, number>> = {}
  for (const [layer, parameter] of lastBlock(network)) {
    const cost = costOf(parameter)
    if (cost > 0) layers[layer] = (layers[layer] ?? 0) + cost
  }
  const multiplyAdds = Object.values(groups).reduce((sum, count) => sum + count, 0)
  return {
    multiplyAdds,
    flops: 2 * multiplyAdds,
    trainingMultiplyAdds: 3 * multiplyAdds,
    trainingFlops: 6 * multiplyAdds,
    groups,
    block: { qkv: 0, proj: 0, mlp: 0, modulation: 0, ...layers, scores, values },
  }
}

function costOf(parameter: CountedParameter): number {
  return sizeOf(parameter) * (parameter.uses ?? 0)
}
