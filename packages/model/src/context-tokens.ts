import type { DiTConfig } from './config.js'

/** Tokens that join those of the picture before block `start` and leave after the last one. */
export interface ContextTokens {
  readonly count: number
  readonly start: number
}

/** Two tokens for the timestep and the label in an `in-context` network, else those that `contextTokens` asks for. */
export function contextOf({ block, contextTokens = 0, contextStart = 0 }: DiTConfig): ContextTokens {
  return block === 'in-context' ? { count: 2, start: 0 } : { count: contextTokens, start: contextStart }
}

/** Whether the label's embedding joins as tokens with learned places. */
export function hasContextTokens({ contextTokens = 0 }: DiTConfig): boolean {
  return contextTokens > 0
}
