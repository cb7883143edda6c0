import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the arithmetic units reach with one kind of vector (`ceiling.c`). */
export interface Ceiling {
  /** `16 lanes, fused`: vectors of 16 floats, a multiply-add is one instruction; `separate`: it is two. */
  readonly kind: string
  readonly threads: number
  readonly gflops: number
}

/** Multiply-adds between registers on each number of threads; empty where there is no C compiler to build it with. */
export function measureCeilings(threads: readonly number[]): readonly Ceiling[] {
  const compiler = process.env['CC'] ?? 'cc'
  const folder = mkdtempSync(join(tmpdir(), 'dit-ceiling-'))
  try {
    const program = join(folder, 'ceiling')
    const source = join(import.meta.dirname, 'ceiling.c')
    execFileSync(compiler, ['-O2', '-ffp-contract=fast', '-pthread', source, '-o', program], { stdio: 'ignore' })
    return JSON.parse(execFileSync(program, threads.map(String), { encoding: 'utf8' })) as Ceiling[]
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return []
    throw error
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** `ceiling in GFLOP/s, multiply-adds between registers: 16 lanes, fused 118 x1, 236 x2; …` */
export function ceilingText(ceilings: readonly Ceiling[]): string {
  if (ceilings.length === 0) return 'no C compiler: the ceiling of the arithmetic units was not measured'
  const kinds = [...new Set(ceilings.map(({ kind }) => kind))]
  const figures = kinds.map((kind) => {
    const rows = ceilings.filter((row) => row.kind === kind)
    return `${kind} ${rows.map(({ gflops, threads }) => `${gflops.toFixed(0)} x${threads}`).join(', ')}`
  })
  return `ceiling in GFLOP/s, multiply-adds between registers: ${figures.join('; ')}`
}
