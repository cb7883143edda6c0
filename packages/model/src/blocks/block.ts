import type { HeadRotation, Tensor } from '@dit/tensor'
import type { DiTConfig } from '../config.js'
import type { ParameterTable } from '../parameter-spec.js'
import type { ReadParameter } from '../parameter-source.js'
import type { Trace } from '../trace.js'

/** What every block is told besides its tokens. */
export interface Condition {
  /** SiLU of the conditioning vector, `[B, D]`; the same for every block. */
  readonly siluC: Tensor
  /** Embeddings of timestep and label, or conditions, as tokens, `[B, M, D]`; null where blocks do not read them. */
  readonly embeddings: Tensor | null
  /**
   * Added to scores of those tokens as keys, `[B, 1, 1, M]`, where some are padding; else null. Of an in-context network it is for all tokens,
   * `[B, 1, 1, n + N]`, and for self-attention.
   */
  readonly keyBias: Tensor | null
  /** Modulation that all blocks share, `[B, parts D]`, or null. */
  readonly modulation: Tensor | null
  /** For the tokens that there are, or null. */
  readonly rotation: HeadRotation | null
}

/** A kind of block: its parameters beside its operations. */
export interface Block {
  /** Parameters of one block that sees so many tokens, by names without `blocks.<i>.`. */
  parameters(config: DiTConfig, numTokens: number): ParameterTable
  /** Parameters that the blocks have in common. */
  shared?(config: DiTConfig): ParameterTable
  /** Queries times keys in one block, for every channel; the most, where keys differ in number. */
  numScores(numTokens: number, config: DiTConfig): number
  /**
   * @param x     tokens, `[B, N, D]`
   * @param param the block's parameters by name, such as `attn.qkv.weight`
   * @returns `[B, N, D]`
   */
  apply(x: Tensor, condition: Condition, param: ReadParameter, config: DiTConfig, trace: Trace): Tensor
}
