import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url))

/** Memory of a worker, as `dit plan` has it. */
export function plan(options: readonly string[]): { total: number; optimizer: number; ema: number } {
  const args = [PROGRAM, 'plan', ...options, '--classes', '6', '--json']
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (stderr !== '') throw new Error(stderr)
  const { rows } = JSON.parse(stdout) as { rows: { memory: { total: number; optimizer: number; ema: number } }[] }
  return rows[0].memory
}

/** VmHWM of each worker over two steps and a checkpoint; more than one are processes that mpirun starts. */
export async function peaks(options: readonly string[], workers: number): Promise<number[]> {
  const out = mkdtempSync(join(tmpdir(), 'dit-plan-'))
  const rest = ['--steps', '2', '--sample-every', 'none', '--threads', '1', '--quiet', '--out', join(out, 'run')]
  const [command, ...args] = [...launcher(workers), process.execPath, PROGRAM, 'train', ...options, ...rest]
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const seen = new Map<number, number>()
  const look = setInterval(() => {
    for (const [rank, bytes] of workersOf(out)) seen.set(rank, Math.max(seen.get(rank) ?? 0, bytes))
  }, 20)
  try {
    const code = await new Promise((resolve) => child.on('close', resolve))
    if (code !== 0) throw new Error(`dit train ended with ${String(code)}`)
    return Array.from({ length: workers }, (_, rank) => seen.get(rank)!)
  } finally {
    clearInterval(look)
    rmSync(out, { recursive: true, force: true })
  }
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`
}

function launcher(workers: number): readonly string[] {
  if (workers === 1) return []
  const isOpenMpi = spawnSync('mpirun', ['--version'], { encoding: 'utf8' }).stdout?.includes('Open MPI')
  const root = process.getuid?.() === 0 ? ['--allow-run-as-root'] : []
  return ['mpirun', '-n', String(workers), ...(isOpenMpi ? ['--oversubscribe', ...root] : [])]
}

/** Rank (0 without a launcher) and VmHWM of the processes that train into a folder; the kernel keeps it until they end. */
function workersOf(out: string): [rank: number, bytes: number][] {
  return readdirSync('/proc').flatMap((name): [number, number][] => {
    try {
      const read = (file: string) => readFileSync(`/proc/${name}/${file}`, 'utf8')
      const command = read('cmdline')
      // Not the launcher, whose command line holds that of the workers.
      if (!command.startsWith(process.execPath) || !command.includes(out)) return []
      const [, rank = 0] = /(?:OMPI_COMM_WORLD_RANK|PMI_RANK)=(\d+)/.exec(read('environ')) ?? []
      const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(read('status')) ?? []
      return kibibytes === undefined ? [] : [[Number(rank), 1024 * Number(kibibytes)]]
    } catch {
      return [] // No process, or one that has just ended.
    }
  })
}
