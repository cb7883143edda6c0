import type { Shape } from '@dit/tensor'
import { draftConfig, type ConfigHints, type InferredConfig } from './infer-config.js'

/**
 * The sizes of a network whose blocks are not all built here, read off its shapes: a configuration to show, not to load. `mlpRatio` is
 * the width of a SwiGLU over that of the network.
 *
 * @param shapes by their names without a wrapper's prefix
 * @returns null where a telling shape is missing
 */
export function sketchConfig(shapes: ReadonlyMap<string, Shape>, hints: ConfigHints = {}): InferredConfig | null {
  const like = new Map(shapes)
  const first = shapes.get('x_embedder.proj1.weight')
  const second = shapes.get('x_embedder.proj2.weight')
  if (first !== undefined && second !== undefined)
    like.set('x_embedder.proj.weight', second.slice(0, 1).concat(first.slice(1)))
  const gated = shapes.get('blocks.0.mlp.w12.weight')
  if (gated !== undefined) like.set('blocks.0.mlp.fc1.weight', [gated[0] / 2, gated[1]])
  const [hiddenSize] = like.get('x_embedder.proj.weight') ?? []
  const [headDim] = shapes.get('blocks.0.attn.q_norm.weight') ?? []
  const isTold = headDim > 0 && hiddenSize % headDim === 0
  return draftConfig(like, isTold ? { ...hints, numHeads: hiddenSize / headDim } : hints)
}
