import { numEmbeddings } from './conditions/spec.js'
import type { DiTConfig } from './config.js'

/** Tokens that join those of the picture before block `start` and leave after the last one. */
export interface ContextTokens {
  readonly count: number
  readonly start: number
}

/** A token for the timestep and one for each thing else that an `in-context` network is told, else those that `contextTokens` asks for. */
export function contextOf(config: DiTConfig): ContextTokens {
  const { block, contextTokens = 0, contextStart = 0 } = config
  return block === 'in-context'
    ? { count: numEmbeddings(config), start: 0 }
    : { count: contextTokens, start: contextStart }
}

/** Whether the label's embedding joins as tokens with learned places. */
export function hasContextTokens({ contextTokens = 0 }: DiTConfig): boolean {
  return contextTokens > 0
}
