import type { CpuOptions } from '../src/index.js'
import { loadAddon, NATIVE_INSTRUCTION_SETS } from '../src/native/addon.js'

export interface Engine {
  readonly label: string
  readonly options: CpuOptions
}

/** Every engine and instruction set of this machine, on one thread and on two. */
export const engines: readonly Engine[] = findEngines()

/** The fastest engine, and the plainest WebAssembly: those of the quick tier. */
export const quickEngines: readonly Engine[] = [...new Set([fastestEngine(), engines[0]])]

/** The other engines. */
export const otherEngines = engines.filter((engine) => !quickEngines.includes(engine))

function fastestEngine(): Engine {
  return engines.find(({ options }) => options.engine === 'native') ?? engines.at(-1)!
}

function findEngines(): Engine[] {
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
