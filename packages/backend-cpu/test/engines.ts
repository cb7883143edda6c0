import type { CpuOptions } from '../src/index.js'
import { INSTRUCTION_SETS, loadAddon } from '../src/native/addon.js'

/** Every engine and instruction set of this machine, on one thread and on two. */
export function availableEngines(): { label: string; options: CpuOptions }[] {
  const addon = loadAddon()
  if (typeof addon === 'string') process.stdout.write(`skipped what needs the native engine: ${addon}\n`)
  const sets = typeof addon === 'string' ? [] : INSTRUCTION_SETS.filter((set) => addon.supports(set))
  return [
    { label: 'wasm on one thread', options: { engine: 'wasm', threads: 1 } },
    { label: 'wasm on two threads', options: { engine: 'wasm', threads: 2 } },
    ...sets.map((instructionSet, i) => ({
      label: `native ${instructionSet}`,
      options: { engine: 'native', instructionSet, threads: 1 + (i % 2) } as const,
    })),
  ]
}
