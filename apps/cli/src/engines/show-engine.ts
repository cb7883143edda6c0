import type { Output } from '../terminal/output.js'
import { engineText, type OpenEngine } from './open-engine.js'

/** Prints what computes, and what the user should know of it. */
export function showEngine({ description, warning }: Omit<OpenEngine, 'backend'>, output: Output): void {
  output.line(`engine ${engineText(description)}`)
  if (warning === undefined) return
  // Dawn prints them itself, from native code, and has no switch for it.
  const dawn = 'lines "Warning: ... artificially reduced" are Dawn\'s own, about its limits, and harmless'
  output.notice(`--backend ${description.name}: ${warning} (${dawn})`)
}
