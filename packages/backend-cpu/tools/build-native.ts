// Compiles csrc/ to the Node-API addon dist/prebuilds/<platform>-<arch>/dit-cpu.node, a part of `npm run build`. Where no
// compiler is at hand it says so and leaves the package with WebAssembly alone. CC names another compiler than cc; with one
// for another processor its name follows: `CC=aarch64-linux-gnu-gcc npm run build:native -- arm64`.
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const folder = fileURLToPath(new URL('../', import.meta.url))
const sources = join(folder, 'csrc')
const arch = process.argv[2] ?? process.arch

/** Compiler flags by instruction set. */
const INSTRUCTION_SETS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  x64: {
    avx512: ['-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl', '-mavx2', '-mfma', '-mprefer-vector-width=512'],
    avx2: ['-mavx2', '-mfma'],
    sse2: [],
  },
  arm64: { neon: [] },
}

/** Ways of products in bf16 (csrc/bf16.h) by instruction set, with their compiler flags. */
const BF16: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  avx512: { pairs: ['-mavx512bf16'], widened: [] },
  avx2: { widened: [] },
  sse2: { widened: [] },
}

/** What is compiled once; all other sources are compiled for each instruction set. */
const COMMON = ['native.c', 'pool_threads.c']
const ELSEWHERE = ['wasm.c', 'libc.c', 'pool_single.c', ...COMMON]
/** What is compiled for each way of products in bf16, besides or only. */
const IN_BF16 = ['gemm.c', 'linear.c', 'native_kernels.c']
const ONLY_BF16 = ['attention_bf16.c', 'pack_bf16.c']

async function main(): Promise<string> {
  const compiler = process.env['CC'] ?? 'cc'
  const platform = `${process.platform}-${arch}`
  const sets = INSTRUCTION_SETS[arch]
  if (sets === undefined || process.platform === 'win32') {
    return `no addon for ${platform}; WebAssembly runs there`
  }
  if (!isThere(compiler)) return `no C compiler (${compiler}): the addon was not built; WebAssembly runs without it`

  const { include_dir: headers } = createRequire(import.meta.url)('node-api-headers') as { include_dir: string }
  const objects = mkdtempSync(join(tmpdir(), 'dit-native-'))
  const flags = ['-std=gnu11', '-O3', '-fPIC', '-pthread', '-fvisibility=hidden', '-Wall', `-I${headers}`]
  const compile = async (source: string, object: string, more: readonly string[]) => {
    const contract = source === 'random.c' ? 'off' : 'fast'
    const options = [...flags, `-ffp-contract=${contract}`, ...more, '-c', source, '-o', join(objects, object)]
    await promisify(execFile)(compiler, options, { cwd: sources })
    return join(objects, object)
  }
  try {
    const jobs = COMMON.map((source) => () => compile(source, `${source}.o`, []))
    const others = [...ELSEWHERE, ...ONLY_BF16]
    const kernels = readdirSync(sources).filter((name) => name.endsWith('.c') && !others.includes(name))
    for (const [set, flags] of Object.entries(sets)) {
      const all = [`-DISA=${set}`, ...flags]
      jobs.push(...kernels.map((source) => () => compile(source, `${source}.${set}.o`, all)))
      for (const [way, more] of Object.entries(BF16[set] ?? {})) {
        const own = [...all, `-DBF16=${way}`, ...more]
        const sources = [...IN_BF16, ...ONLY_BF16]
        jobs.push(...sources.map((source) => () => compile(source, `${source}.${set}.${way}.o`, own)))
      }
    }
    const made = await twoAtATime(jobs)
    const target = join(folder, 'dist', 'prebuilds', platform)
    mkdirSync(target, { recursive: true })
    const link = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']
    execFileSync(compiler, [...link, '-pthread', '-o', join(target, 'dit-cpu.node'), ...made])
    return `built the addon for ${platform}: ${Object.keys(sets).join(', ')}`
  } finally {
    rmSync(objects, { recursive: true })
  }
}

function isThere(compiler: string): boolean {
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function twoAtATime<T>(jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const work = async () => {
    while (next < jobs.length) results.push(await jobs[next++]())
  }
  await Promise.all([work(), work()])
  return results
}

try {
  console.log(`backend-cpu: ${await main()}`)
} catch (error) {
  // A compiler that fails here must not keep a user from WebAssembly; where changes are checked it is a failure.
  if (process.env['CI'] !== undefined) throw error
  const { stderr, message } = error as Error & { stderr?: string }
  console.log(`backend-cpu: the addon could not be built; WebAssembly runs without it\n${stderr ?? message}`)
}
