import type { CpuOptions } from '../src/index.js'
import { loadAddon, NATIVE_INSTRUCTION_SETS } from '../src/native/addon.js'

/** Every engine and instruction set of this machine, on one thread and on two. */
export function availableEngines(): { label: string; options: CpuOptions }[] {
  const addon = loadAddon()
  if (typeof addon === 'string') process.stdout.write(`skipped what needs the native engine: ${addon}\n`)
  const sets = typeof addon === 'string' ? [] : NATIVE_INSTRUCTION_SETS.filter((set) => addon.supports(set))
  return [
    ...(['simd128', 'relaxed-simd'] as const).flatMap((instructionSet) => [
      {
        label: `wasm ${instructionSet} on one thread`,
        options: { engine: 'wasm', instructionSet, threads: 1 } as const,
      },
      {
        label: `wasm ${instructionSet} on two threads`,
        options: { engine: 'wasm', instructionSet, threads: 2 } as const,
      },
    ]),
    ...sets.map((instructionSet, i) => ({
      label: `native ${instructionSet}`,
      options: { engine: 'native', instructionSet, threads: 1 + (i % 2) } as const,
    })),
  ]
}
