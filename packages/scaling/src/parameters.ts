import {
  checkNetwork,
  type CountedNetwork,
  type Group,
  groupOf,
  lastBlock,
  type Layer,
  sizeOf,
} from './counted-network.js'

/** Parameters of a model, in all and by part. */
export interface ParameterCount {
  /** Everything a checkpoint holds, a fixed position table included. */
  readonly total: number
  /** What training changes; the figure that papers give. */
  readonly trainable: number
  /** Adds up to `total`. */
  readonly groups: Readonly<Record<Group, number>>
  /** One block, by layer; `crossAttention` and `norms` only where it has parameters of these. */
  readonly block: BlockCount<'qkv' | 'proj' | 'mlp' | 'modulation'>
}

/** Counts of a block, by layer. */
export type BlockCount<Always extends string> = Readonly<Record<Always, number>> &
  Readonly<Partial<Record<Layer, number>>>

/**
 * Number of parameters of a network, by part.
 *
 * The position table counts into `total` even when it is fixed, since a checkpoint holds it, and into `trainable` only when it is
 * learned.
 *
 *     countParameters(countedNetwork(ditConfig('DiT-XL/2'))).trainable // 674834720, at 256 pixels
 *
 * @throws RangeError for a network that cannot be
 *
 * Peebles & Xie 2022, "Scalable Diffusion Models with Transformers", table 4 gives the trainable ones.
 */
export function countParameters(network: CountedNetwork): ParameterCount {
  checkNetwork('countParameters', network)
  const groups = { patchEmbedding: 0, positions: 0, timestep: 0, labels: 0, blocks: 0, final: 0 }
  let [total, trainable] = [0, 0]
  for (const [name, parameter] of Object.entries(network.parameters)) {
    const size = sizeOf(parameter)
    groups[groupOf(name)] += size
    total += size
    if (parameter.isTrainable !== false) trainable += size
  }
  const block: Partial<Record<Layer, number>> = {}
  for (const [layer, parameter] of lastBlock(network)) block[layer] = (block[layer] ?? 0) + sizeOf(parameter)
  return { total, trainable, groups, block: { qkv: 0, proj: 0, mlp: 0, modulation: 0, ...block } }
}
