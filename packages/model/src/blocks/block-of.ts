import type { DiTConfig } from '../config.js'
import { adaLN } from './ada-ln.js'
import type { Block } from './block.js'
import { crossAttention } from './cross-attention.js'
import { inContext } from './in-context.js'

/** The kind of block that a configuration asks for. */
export function blockOf({ block }: DiTConfig): Block {
  return block === 'cross-attention' ? crossAttention : block === 'in-context' ? inContext : adaLN
}
