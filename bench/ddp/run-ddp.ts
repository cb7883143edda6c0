import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { small, tiny } from '../models.js'
import { median, spread } from '../statistics.js'
import type { DdpJob, DdpResult } from './job.js'

/** How the two workers of a measurement are joined. */
type Joined = 'threads' | 'openmpi' | 'mpich'

/** A line of the case `ddp`, for the record. */
export interface DdpRow {
  readonly engine: 'wasm' | 'native'
  readonly joined: Joined
  readonly shardOptimizer: boolean
  /** Examples a second, medians of all steps. */
  readonly oneWorker: number
  readonly twoWorkers: number
  readonly speedup: number
  /** Third quartile less first of the ratios of each round. */
  readonly spread: number
  readonly waitShare: number
}

export interface DdpOptions {
  readonly engines: readonly string[]
  readonly rounds: number
  /** Small enough for a test. */
  readonly isTiny: boolean
}

/** Floats of the all-reduce whose bandwidth is compared: 32 MiB. */
const SIZE = 2 ** 23

/**
 * Two workers with one thread each against one worker with one thread, the same batch per worker, in turns; and the bandwidth of
 * an all-reduce against plain MPI. Prints lines as they come.
 */
export async function runDdp({ engines, rounds, isTiny }: DdpOptions): Promise<readonly DdpRow[]> {
  const base: DdpJob = {
    what: 'train',
    engine: 'wasm',
    model: isTiny ? tiny : small,
    batchPerWorker: isTiny ? 4 : 8,
    warmUp: 1,
    steps: 4,
    shardOptimizer: false,
    size: isTiny ? 2 ** 16 : SIZE,
  }
  const joins = (['threads', 'openmpi', 'mpich'] as const).filter(
    (name) => name === 'threads' || launcher(name) !== null,
  )
  console.log(`ddp: batch ${base.batchPerWorker} per worker, one thread each; examples/s, medians of ${rounds} rounds`)
  const rows: DdpRow[] = []
  for (const engine of (['wasm', 'native'] as const).filter((name) => engines.includes(`cpu-${name}`))) {
    for (const joined of joins) {
      const sharded = joined === 'threads' ? [false, true] : [false]
      for (const shardOptimizer of sharded)
        rows.push(await compare({ ...base, engine, shardOptimizer }, joined, rounds))
    }
  }
  for (const joined of joins) await compareBandwidth({ ...base, what: 'all-reduce' }, joined)
  return rows
}

async function compare(job: DdpJob, joined: Joined, rounds: number): Promise<DdpRow> {
  const [ones, twos, ratios, waits]: number[][] = [[], [], [], []]
  for (let round = 0; round < rounds; round++) {
    const one = await run({ ...job, shardOptimizer: false }, 1, 'threads')
    const two = await run(job, 2, joined)
    const [a, b] = [median(one.seconds), median(two.seconds)]
    ones.push(job.batchPerWorker / a)
    twos.push((2 * job.batchPerWorker) / b)
    ratios.push((2 * a) / b)
    waits.push(two.waitShare)
  }
  const row = {
    engine: job.engine,
    joined,
    shardOptimizer: job.shardOptimizer,
    oneWorker: median(ones),
    twoWorkers: median(twos),
    speedup: median(ratios),
    spread: spread(ratios),
    waitShare: median(waits),
  }
  const name = `cpu-${row.engine}, 2 ${joined}${row.shardOptimizer ? ', sharded' : ''}`
  console.log(
    `${name.padEnd(32)} one ${row.oneWorker.toFixed(2)}  two ${row.twoWorkers.toFixed(2)}  ` +
      `${row.speedup.toFixed(3)}x (spread ${row.spread.toFixed(3)})  waiting ${(100 * row.waitShare).toFixed(1)} %`,
  )
  return row
}

async function compareBandwidth(job: DdpJob, joined: Joined): Promise<void> {
  const gibs = (seconds: number) => ((4 * job.size) / seconds / 2 ** 30).toFixed(2)
  const own = gibs((await run(job, 2, joined)).seconds[0])
  const plain = joined === 'threads' ? null : await plainMpi(joined, job.size)
  const beside = plain === null ? '' : `, plain MPI in C ${gibs(plain)} GiB/s`
  console.log(`all-reduce of ${(4 * job.size) / 2 ** 20} MiB, 2 ${joined}: ${own} GiB/s${beside}`)
}

async function run(job: DdpJob, workers: number, joined: Joined): Promise<DdpResult> {
  const script = fileURLToPath(new URL('job.ts', import.meta.url))
  const node = [process.execPath, ...process.execArgv, script, JSON.stringify(job), String(workers)]
  const lines = (await execute([...(joined === 'threads' ? [] : launcher(joined)!), ...node])).split('\n')
  return JSON.parse(lines.find((line) => line.startsWith('{'))!) as DdpResult
}

/** Seconds of the same all-reduce in C; null where there is no compiler for it. */
async function plainMpi(joined: Exclude<Joined, 'threads'>, size: number): Promise<number | null> {
  const folder = await mkdtemp(join(tmpdir(), 'dit-mpi-'))
  try {
    const source = fileURLToPath(new URL('allreduce.c', import.meta.url))
    const program = join(folder, 'allreduce')
    await execute([`mpicc.${joined}`, '-O2', '-o', program, source])
    const { seconds } = JSON.parse(await execute([...launcher(joined)!, program, String(size)])) as { seconds: number }
    return seconds
  } catch {
    return null
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Command that starts two processes; null where this family is not here. Debian names the families' launchers. */
function launcher(name: Exclude<Joined, 'threads'>): string[] | null {
  const program = `mpirun.${name}`
  if (spawnSync(program, ['--version']).status !== 0) return null
  return [program, ...(name === 'openmpi' ? ['--oversubscribe'] : []), '-n', '2']
}

async function execute([command, ...args]: readonly string[]): Promise<string> {
  const root = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
  const { stdout } = await promisify(execFile)(command, args, { env: { ...process.env, ...root } })
  return stdout
}
