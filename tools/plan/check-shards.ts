// Measures what `--shard-optimizer` spares each of four MPI ranks, by the peak resident size that the operating system reports:
//
//   npm run check:shards          needs Linux, an mpirun of Open MPI or MPICH, and about 6 GiB of memory
//
// Sharded, a rank holds a quarter of the moments and of the averages. Fails where a rank other than 0, which also gathers
// checkpoints, spares less than nine tenths of what that should.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url))
const RANKS = 4
const MODEL = '--hidden 512 --depth 12 --heads 8 --size 32 --patch 8 --batch 4 --recompute block'.split(' ')
const LEAST = 0.9

const whole = await peaks([])
const sharded = await peaks(['--shard-optimizer'])
const planned = state([]) - state(['--shard-optimizer'])
console.log(
  `optimizer and EMA of a rank: ${mebibytes(state([]))}, sharded ${mebibytes(state(['--shard-optimizer']))} (plan)`,
)
let least = Infinity
for (let rank = 0; rank < RANKS; rank++) {
  const spared = whole[rank] - sharded[rank]
  if (rank > 0) least = Math.min(least, spared / planned)
  console.log(
    `rank ${rank}: peak ${mebibytes(whole[rank])}, sharded ${mebibytes(sharded[rank])}: spares ${mebibytes(spared)} of ${mebibytes(planned)}`,
  )
}
process.exitCode = least >= LEAST ? 0 : 1
console.log(process.exitCode === 0 ? 'ok' : `a rank spares less than ${100 * LEAST} %`)

/** Bytes of moments and averages of one worker. */
function state(options: readonly string[]): number {
  const args = [PROGRAM, 'plan', ...MODEL, ...options, '--classes', '6', '--workers', String(RANKS), '--json']
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (stderr !== '') throw new Error(stderr)
  const { rows } = JSON.parse(stdout) as { rows: { memory: { optimizer: number; ema: number } }[] }
  return rows[0].memory.optimizer + rows[0].memory.ema
}

/** VmHWM of each rank over two steps and a checkpoint. */
async function peaks(options: readonly string[]): Promise<number[]> {
  const out = mkdtempSync(join(tmpdir(), 'dit-shards-'))
  const run = ['train', ...MODEL, ...options, '--steps', '2', '--sample-every', 'none', '--threads', '1', '--quiet']
  const launcher = `mpirun -n ${RANKS} --oversubscribe`.split(' ')
  const root = process.getuid?.() === 0 ? ['--allow-run-as-root'] : []
  const isOpenMpi = spawnSync('mpirun', ['--version'], { encoding: 'utf8' }).stdout.includes('Open MPI')
  const start = isOpenMpi ? [...launcher, ...root] : launcher.slice(0, 3)
  const [command, ...rest] = [...start, process.execPath, PROGRAM, ...run, '--out', join(out, 'run')]
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] })
  const seen = new Map<number, number>()
  const look = setInterval(() => {
    for (const [rank, bytes] of ranksOf(out)) seen.set(rank, Math.max(seen.get(rank) ?? 0, bytes))
  }, 20)
  try {
    const code = await new Promise((resolve) => child.on('close', resolve))
    if (code !== 0) throw new Error(`mpirun ended with ${String(code)}`)
    return Array.from({ length: RANKS }, (_, rank) => seen.get(rank)!)
  } finally {
    clearInterval(look)
    rmSync(out, { recursive: true, force: true })
  }
}

/** Rank and VmHWM of the processes that train into a folder. */
function ranksOf(out: string): [rank: number, bytes: number][] {
  return readdirSync('/proc').flatMap((name): [number, number][] => {
    try {
      const read = (file: string) => readFileSync(`/proc/${name}/${file}`, 'utf8')
      if (!read('cmdline').includes(out)) return []
      const [, rank] = /(?:OMPI_COMM_WORLD_RANK|PMI_RANK)=(\d+)/.exec(read('environ')) ?? []
      const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(read('status')) ?? []
      return rank === undefined || kibibytes === undefined ? [] : [[Number(rank), 1024 * Number(kibibytes)]]
    } catch {
      return [] // No process, or one that has just ended.
    }
  })
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`
}
