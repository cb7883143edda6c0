import { tokenGrid } from '@dit/tokenizer'
import type { Block } from './blocks/block.js'
import { blockOf } from './blocks/block-of.js'
import { type DiTConfig, numTokens, outChannels } from './config.js'
import { contextOf } from './context-tokens.js'
import type { ParameterTable } from './parameter-spec.js'
import { parameterTable } from './parameter-table.js'
import { hiddenWidth } from './parts/mlp.js'

/** A network as @dit/scaling counts it: plain data. */
export interface CountedNetwork {
  readonly parameters: ParameterTable
  /** Multiply-adds of the two products of attention for one picture, block by block. */
  readonly attention: readonly { readonly scores: number; readonly values: number }[]
  /** Sizes of what is computed for one picture, for estimates of memory. */
  readonly sizes: {
    /** N, tokens of a block; the most, where some join on the way. */
    readonly numTokens: number
    /** D */
    readonly hiddenSize: number
    readonly numHeads: number
    /** Width of the MLP's hidden layer; SwiGLU counts as twice its own, since it keeps twice as many values. */
    readonly mlpWidth: number
    /** Values of a picture that go in, and that come out. */
    readonly inputs: number
    readonly outputs: number
    /** Values that a block keeps for its backward pass besides those of a published one. */
    readonly savedBeside: number
  }
}

/**
 * What a network costs by its configuration: for `countParameters`, `countMultiplyAdds`, `memoryBytes` and `planMemory` of @dit/scaling.
 *
 * @throws RangeError when the configuration is invalid
 *
 * @example
 * countMultiplyAdds(countedNetwork(ditConfig('DiT-XL/2'))).multiplyAdds // 118.6e9
 */
export function countedNetwork(config: DiTConfig, blocks: Block = blockOf(config)): CountedNetwork {
  const parameters = parameterTable(config, blocks)
  const { hiddenSize: D, depth, numHeads, patchSize, inChannels, block, norm, qkNorm, mlp } = config
  const { count, start } = contextOf(config)
  const N = numTokens(config)
  const most = N + count
  const scores = (i: number) => blocks.numScores(i < start ? N : most, config) * D
  const pixels = tokenGrid(config.inputSize, patchSize).reduce((product, patches) => product * patches * patchSize, 1)
  // Normalised tokens are not kept by the fused layer norm; cross-attention keeps a norm, queries, weights and two outputs.
  const perToken = (norm === 'rms' ? 2 : 0) + (qkNorm === true ? 4 : 0) + (block === 'cross-attention' ? 5 : 0)
  const hidden = hiddenWidth(config)
  return {
    parameters,
    attention: Array.from({ length: depth }, (_, i) => ({ scores: scores(i), values: scores(i) })),
    sizes: {
      numTokens: most,
      hiddenSize: D,
      numHeads,
      mlpWidth: mlp === 'swiglu' ? 2 * hidden : hidden,
      inputs: pixels * inChannels,
      outputs: pixels * outChannels(config),
      savedBeside: perToken * most * D,
    },
  }
}
