import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compileWasm } from '../../../tools/wasm/compile.js'

const folder = fileURLToPath(new URL('../csrc/', import.meta.url))

/** A module that the package carries. */
export interface WasmVariant {
  readonly instructionSet: 'simd128' | 'relaxed-simd'
  /** Whether its memory is shared by threads. */
  readonly threads: boolean
}

export const WASM_VARIANTS: readonly WasmVariant[] = [
  { instructionSet: 'simd128', threads: false },
  { instructionSet: 'simd128', threads: true },
  { instructionSet: 'relaxed-simd', threads: false },
  { instructionSet: 'relaxed-simd', threads: true },
]

/** The file under src/wasm/modules that holds a variant, without its ending. */
export function moduleName({ instructionSet, threads }: WasmVariant): string {
  return threads ? `${instructionSet}-threads` : instructionSet
}

/**
 * Kernels that wait for memory, or that no sampling page runs: made small, since a page downloads them. Products, attention and
 * convolutions stay fast.
 */
const SMALL = [
  'adamw.c',
  'broadcast.c',
  'conv2d_backward.c',
  'depthwise.c',
  'elementwise.c',
  'gated_residual.c',
  'group_norm.c',
  'layer_norm.c',
  'layout.c',
  'linear.c',
  'pooling.c',
  'random.c',
  'reduce.c',
  'softmax.c',
  'upsample.c',
]

/** Kernels that WebAssembly does not have: products in bf16, and parts of newer transformers, which @dit/tensor composes. */
const NATIVE_ONLY = ['attention_bf16.c', 'pack_bf16.c', 'qk_norm_rope.c', 'rms_norm.c', 'swiglu.c']

// 4 GiB, the most that 32-bit addresses reach.
const MAX_MEMORY = 2 ** 32

/**
 * Compiles csrc/ to a WebAssembly module.
 *
 * @param compiler a clang with its linker beside it, such as `clang-16` with `wasm-ld-16`
 */
export function buildWasm(variant: WasmVariant, compiler: string): Uint8Array {
  // The other pool belongs to the other variants.
  const pool = variant.threads ? 'pool_threads.c' : 'pool_single.c'
  const sources = readdirSync(folder).filter(
    (name) =>
      name.endsWith('.c') &&
      (!name.startsWith('pool_') || name === pool) &&
      !name.startsWith('native') &&
      !NATIVE_ONLY.includes(name),
  )
  const shared = ['--shared-memory', `--max-memory=${MAX_MEMORY}`, '--export=__stack_pointer']
  return compileWasm({
    compiler,
    folder,
    sources: sources.toSorted(),
    compilerFlags: [
      ...(variant.instructionSet === 'relaxed-simd' ? ['-mrelaxed-simd'] : []),
      ...(variant.threads ? ['-matomics'] : []),
    ],
    small: SMALL,
    linkerFlags: variant.threads ? shared : [],
  })
}
