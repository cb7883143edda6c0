import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const sources = fileURLToPath(new URL('../csrc/', import.meta.url))

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

// 4 GiB, the most that 32-bit addresses reach.
const MAX_MEMORY = 2 ** 32

/** First line of the version of a compiler, or null where it is not on the PATH. */
export function compilerVersion(compiler: string): string | null {
  try {
    return execFileSync(compiler, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
      '\n',
    )[0]
  } catch {
    return null
  }
}

/**
 * Compiles csrc/ to a WebAssembly module.
 *
 * @param compiler a clang with its linker beside it, such as `clang-16` with `wasm-ld-16`
 */
export function buildWasm(variant: WasmVariant, compiler: string): Uint8Array {
  // The other pool belongs to the other variants.
  const pool = variant.threads ? 'pool_threads.c' : 'pool_single.c'
  const folder = mkdtempSync(join(tmpdir(), 'dit-wasm-'))
  try {
    const files = readdirSync(sources).filter(
      (name) => name.endsWith('.c') && (!name.startsWith('pool_') || name === pool) && !name.startsWith('native'),
    )
    const objects = files.toSorted().map((name) => {
      const object = join(folder, `${name}.o`)
      execFileSync(compiler, [...compilerFlags(variant), '-c', name, '-o', object], {
        cwd: sources,
        stdio: 'inherit',
      })
      return object
    })
    const out = join(folder, 'kernels.wasm')
    const shared = ['--shared-memory', `--max-memory=${MAX_MEMORY}`, '--export=__stack_pointer']
    execFileSync(compiler.replace('clang', 'wasm-ld'), [
      '--no-entry',
      '--import-memory',
      '--strip-all',
      ...(variant.threads ? shared : []),
      '-o',
      out,
      ...objects,
    ])
    return readFileSync(out)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function compilerFlags(variant: WasmVariant): string[] {
  return [
    '--target=wasm32',
    '-std=c11',
    '-O3',
    '-msimd128',
    '-mbulk-memory',
    ...(variant.instructionSet === 'relaxed-simd' ? ['-mrelaxed-simd'] : []),
    ...(variant.threads ? ['-matomics'] : []),
    '-nostdlib',
    '-fno-builtin',
    '-Wall',
    '-Wextra',
    '-Werror',
    // The only fused multiply-adds are those that the sources ask for.
    '-ffp-contract=off',
  ]
}
