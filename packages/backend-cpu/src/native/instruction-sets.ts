/** Instruction sets from the fastest to the slowest. */
export const NATIVE_INSTRUCTION_SETS = ['avx512', 'avx2', 'sse2', 'neon'] as const

export type NativeInstructionSet = (typeof NATIVE_INSTRUCTION_SETS)[number]
