import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const sources = fileURLToPath(new URL('../csrc/', import.meta.url))

/** The two modules that the package carries: for plain memory, and for memory shared by threads. */
export type WasmVariant = 'single' | 'threads'

/** Sources that belong to one variant or to no WebAssembly module at all. */
const POOLS: Readonly<Record<WasmVariant, string>> = { single: 'pool_single.c', threads: 'pool_threads.c' }

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
  const folder = mkdtempSync(join(tmpdir(), 'dit-wasm-'))
  try {
    const files = readdirSync(sources).filter(
      (name) =>
        name.endsWith('.c') && (!name.startsWith('pool_') || name === POOLS[variant]) && !name.startsWith('native'),
    )
    const objects = files.toSorted().map((name) => {
      const object = join(folder, `${name}.o`)
      execFileSync(compiler, [...compilerFlags(variant, name), '-c', name, '-o', object], {
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
      ...(variant === 'threads' ? shared : []),
      '-o',
      out,
      ...objects,
    ])
    return readFileSync(out)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function compilerFlags(variant: WasmVariant, name: string): string[] {
  return [
    '--target=wasm32',
    '-std=c11',
    '-O3',
    '-msimd128',
    '-mbulk-memory',
    ...(variant === 'threads' ? ['-matomics'] : []),
    '-nostdlib',
    '-fno-builtin',
    '-Wall',
    '-Wextra',
    '-Werror',
    // Products and sums are rounded one by one in any case here: WebAssembly has no fused multiply-add.
    name === 'random.c' ? '-ffp-contract=off' : '-ffp-contract=fast',
  ]
}
