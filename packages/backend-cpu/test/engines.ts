import type { CpuOptions } from '../src/index.js'
import { loadAddon } from '../src/native/addon.js'
import { NATIVE_INSTRUCTION_SETS } from '../src/native/instruction-sets.js'

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

/** The native engine with products in bf16, in every way that this machine has, the fastest set first. */
export const bf16Engines: readonly Engine[] = findBf16Engines()

function findBf16Engines(): Engine[] {
  const addon = loadAddon()
  if (typeof addon === 'string') return []
  return NATIVE_INSTRUCTION_SETS.flatMap((instructionSet) =>
    (['pairs', 'widened'] as const)
      .filter((multiply) => addon.supports(instructionSet, multiply))
      .map((multiply) => ({
        label: `native ${instructionSet}, bf16 ${multiply}`,
        options: { engine: 'native', precision: 'bf16', instructionSet, multiply, threads: 1 },
      })),
  )
}

function fastestEngine(): Engine {
  return engines.find(({ options }) => options.engine === 'native') ?? engines.at(-1)!
}

function findEngines(): Engine[] {
  const addon = loadAddon()
  if (typeof addon === 'string') process.stdout.write(`skipped what needs the native engine: ${addon}\n`)
  const sets = typeof addon === 'string' ? [] : NATIVE_INSTRUCTION_SETS.filter((set) => addon.supports(set, 'f32'))
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
