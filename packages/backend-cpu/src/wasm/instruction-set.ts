import { builtin } from '../platform.js'

/**
 * Instruction sets of WebAssembly from the fastest to the slowest. `relaxed-simd` multiplies and adds in one instruction, which
 * rounds once on processors that have fused multiply-add (practically all since 2013) and twice on others; `simd128` rounds
 * twice everywhere.
 */
export const WASM_INSTRUCTION_SETS = ['relaxed-simd', 'simd128'] as const

export type WasmInstructionSet = (typeof WASM_INSTRUCTION_SETS)[number]

// A module with one function that runs f32x4.relaxed_madd: magic and version, type, function and code section.
const PROBE = Uint8Array.from(
  [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    [0x01, 0x07, 0x01, 0x60, 0x02, 0x7b, 0x7b, 0x01, 0x7b],
    [0x03, 0x02, 0x01, 0x00],
    [0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x00, 0xfd, 0x85, 0x02, 0x0b],
  ].flat(),
)

/** Whether modules of an instruction set run here. */
export function supportsWasmSet(set: WasmInstructionSet): boolean {
  if (set === 'simd128') return true
  // Node 20 has the finished proposal behind a flag; later versions have it as it is and do not know the flag for ever.
  const { process } = globalThis as { process?: { versions?: { node?: string } } }
  if (process?.versions?.node?.startsWith('20.')) {
    builtin('node:v8')?.setFlagsFromString('--experimental-wasm-relaxed-simd')
  }
  return WebAssembly.validate(PROBE)
}

/** The fastest instruction set that is here. */
export function bestWasmSet(): WasmInstructionSet {
  return WASM_INSTRUCTION_SETS.find(supportsWasmSet)!
}

/** The compiled kernels for an instruction set, for memory that threads share or for plain memory. */
export function loadModule(set: WasmInstructionSet, isShared: boolean): Promise<{ readonly deflated: string }> {
  if (set === 'simd128') return isShared ? import('./modules/simd128-threads.js') : import('./modules/simd128.js')
  return isShared ? import('./modules/relaxed-simd-threads.js') : import('./modules/relaxed-simd.js')
}
