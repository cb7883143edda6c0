import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zlibAsync } from '@gfx/zopfli'

export interface WasmSources {
  /** A clang with its linker beside it, such as `clang-16` with `wasm-ld-16`. */
  readonly compiler: string
  readonly folder: string
  readonly sources: readonly string[]
  readonly compilerFlags?: readonly string[]
  /** Those of the sources that are made small rather than fast. */
  readonly small?: readonly string[]
  readonly linkerFlags?: readonly string[]
}

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

/** Compiles C to a WebAssembly module that imports its memory. */
export function compileWasm({
  compiler,
  folder,
  sources,
  compilerFlags = [],
  small = [],
  linkerFlags = [],
}: WasmSources): Buffer {
  const objects = mkdtempSync(join(tmpdir(), 'dit-wasm-'))
  try {
    const files = sources.map((name) => {
      const object = join(objects, `${name}.o`)
      const flags = [...FLAGS, ...compilerFlags, ...(small.includes(name) ? ['-Oz'] : [])]
      execFileSync(compiler, [...flags, '-c', name, '-o', object], { cwd: folder, stdio: 'inherit' })
      return object
    })
    const out = join(objects, 'module.wasm')
    execFileSync(compiler.replace('clang', 'wasm-ld'), [
      '--no-entry',
      '--import-memory',
      '--strip-all',
      ...linkerFlags,
      '-o',
      out,
      ...files,
    ])
    return readFileSync(out)
  } finally {
    rmSync(objects, { recursive: true })
  }
}

/** Of Zopfli: more take off a few bytes. */
const ITERATIONS = 15

/**
 * Writes a module of TypeScript that holds one of WebAssembly as base64, because a string is found by every bundler, page and
 * Node without a request for a file.
 *
 * @param as `deflated` for a large one: servers cannot compress base64 well, so it is compressed before (zlib, by Zopfli), which takes a
 *   third off what a page downloads
 */
export async function writeWasmModule(
  file: URL,
  bytes: Buffer,
  { by, from }: { by: string; from: string },
  compiler: string,
  as: 'base64' | 'deflated' = 'base64',
): Promise<void> {
  const version = compilerVersion(compiler)
  if (version === null) throw new Error(`${by}: no ${compiler} on the PATH`)
  const stored = as === 'base64' ? bytes : Buffer.from(await zlibAsync(bytes, { numiterations: ITERATIONS }))
  const what =
    as === 'base64' ? 'A WebAssembly module in base64' : 'A WebAssembly module, deflated (zlib) and in base64'
  const text = `// Made by ${by} from ${from}.

/** The compiler that made it. */
export const compiler = '${version}'

/** ${what}, ${bytes.length} bytes. */
export const ${as} =
  '${stored.toString('base64')}'
`
  writeFileSync(file, text)
  console.log(`${file.pathname.split('/src/')[1]}: ${bytes.length} bytes, ${version}`)
}

const FLAGS = [
  '--target=wasm32',
  '-std=c11',
  '-O3',
  '-msimd128',
  '-mbulk-memory',
  '-nostdlib',
  '-fno-builtin',
  '-Wall',
  '-Wextra',
  '-Werror',
  // The only fused multiply-adds are those that the sources ask for.
  '-ffp-contract=off',
]
