import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { small, tiny } from '../models.js'
import { median, spread } from '../statistics.js'
import type { DdpJob } from './job.js'
import { type Joined, launcher, runOnce, startTeam, type Team } from './team.js'

/** A line of the case `ddp`, for the record. */
export interface DdpRow {
  readonly engine: 'wasm' | 'native'
  readonly tokens: number
  readonly name: string
  /** Examples a second, medians of all rounds. */
  readonly examples: number
  /** Times the rate of one worker in the same round: the median, and third quartile less first. */
  readonly speedup: number
  readonly spread: number
  /** The same ratio of the fastest steps of all rounds: what else runs on a machine only ever slows a step down. */
  readonly best: number
  /** Seconds of all timed steps, round after round; of ways with several jobs those of the first. */
  readonly seconds: readonly number[]
  /** Share of the time that rank 0 waited for others. */
  readonly waitShare: number
}

export interface DdpOptions {
  readonly engines: readonly string[]
  readonly rounds: number
  /** Which models: tokens of a picture, or one small enough for a test. */
  readonly size: 64 | 256 | 'tiny'
  /** Called with what is being measured. */
  readonly log: (line: string) => void
}

/**
 * A way to use two cores. Two jobs that are apart train side by side and know nothing of each other: what they lose against one
 * alone they lose to memory and clocks that they share, and no exchange of gradients can do better.
 */
interface Way {
  readonly name: string
  readonly jobs: number
  readonly workers: number
  readonly joined: Joined
  readonly shardOptimizer?: boolean
}

const WAYS: readonly Way[] = [
  { name: 'one worker', jobs: 1, workers: 1, joined: 'threads' },
  { name: 'two that are apart', jobs: 2, workers: 1, joined: 'threads' },
  { name: '2 threads', jobs: 1, workers: 2, joined: 'threads' },
  { name: '2 threads, sharded optimizer', jobs: 1, workers: 2, joined: 'threads', shardOptimizer: true },
  { name: '2 of Open MPI', jobs: 1, workers: 2, joined: 'openmpi' },
  { name: '2 of MPICH', jobs: 1, workers: 2, joined: 'mpich' },
]

/** Steps of a turn; the first is not timed, since caches and pages are cold. */
const STEPS = 3

/** Floats of the all-reduce whose bandwidth is compared: 32 MiB. */
const SIZE = 2 ** 23

/**
 * Two workers with one thread each against one worker with one thread, the same batch per worker; and the bandwidth of an
 * all-reduce against plain MPI. All ways are alive at once and take turns, so that the two rates of a ratio are seconds apart
 * and a machine that slows down slows both. Prints lines as they come.
 */
export async function runDdp({ engines, rounds, size, log }: DdpOptions): Promise<readonly DdpRow[]> {
  const isTiny = size === 'tiny'
  const base: DdpJob = {
    what: 'train',
    engine: 'wasm',
    model: isTiny ? tiny : size === 64 ? small : { ...small, inputSize: 32 },
    batchPerWorker: isTiny ? 4 : 8,
    shardOptimizer: false,
    size: isTiny ? 2 ** 16 : SIZE,
  }
  const ways = WAYS.filter(({ joined }) => joined === 'threads' || launcher(joined) !== null)
  const tokens = ((base.model.inputSize as number) / base.model.patchSize) ** 2
  console.log(
    `ddp: ${tokens} tokens, batch ${base.batchPerWorker} per worker, one thread each; examples/s, medians of ${rounds} rounds`,
  )
  const rows: DdpRow[] = []
  for (const engine of (['wasm', 'native'] as const).filter((name) => engines.includes(`cpu-${name}`))) {
    for (const row of await compare({ ...base, engine }, ways, rounds, log)) {
      rows.push({ engine, tokens, ...row })
      console.log(
        `${`cpu-${engine}, ${row.name}`.padEnd(40)} ${row.examples.toFixed(2).padStart(6)}  ` +
          `${row.speedup.toFixed(3)}x (spread ${row.spread.toFixed(3)})  best ${row.best.toFixed(3)}x  waiting ${(100 * row.waitShare).toFixed(1)} %`,
      )
    }
  }
  for (const joined of ['threads', 'openmpi', 'mpich'] as const) {
    if (ways.some((way) => way.joined === joined)) await compareBandwidth({ ...base, what: 'all-reduce' }, joined)
  }
  return rows
}

async function compare(job: DdpJob, ways: readonly Way[], rounds: number, log: DdpOptions['log']) {
  const teams: Team[] = []
  const rateOf = (seconds: readonly number[], workers: number) =>
    seconds.reduce((sum, each) => sum + (workers * job.batchPerWorker) / each, 0)
  try {
    for (const { name, jobs, workers, joined, shardOptimizer = false } of ways) {
      log(`cpu-${job.engine}: starts ${name}`)
      const team = await startTeam({ ...job, shardOptimizer }, jobs, workers, joined)
      teams.push(team)
      await team.take(1)
    }
    const rates: number[][] = ways.map(() => [])
    const waits: number[][] = ways.map(() => [])
    /** Of each job. */
    const all: number[][][] = ways.map(({ jobs }) => Array.from({ length: jobs }, () => []))
    for (let round = 0; round < rounds; round++) {
      for (const [i, { name, workers }] of ways.entries()) {
        log(`cpu-${job.engine}: round ${round + 1} of ${rounds}, ${name}`)
        const taken = (await teams[i].take(STEPS)).map((steps) => steps.slice(1))
        const seconds = taken.map((steps) => steps.map((step) => step.seconds))
        seconds.forEach((steps, of) => all[i][of].push(...steps))
        rates[i].push(rateOf(seconds.map(median), workers))
        const total = (key: 'seconds' | 'waited') => taken[0].reduce((sum, step) => sum + step[key], 0)
        waits[i].push(total('waited') / total('seconds'))
      }
    }
    const fastest = ways.map(({ workers }, i) =>
      rateOf(
        all[i].map((seconds) => Math.min(...seconds)),
        workers,
      ),
    )
    return ways.map(({ name }, i) => {
      const ratios = rates[i].map((rate, round) => rate / rates[0][round])
      return {
        name,
        examples: median(rates[i]),
        speedup: median(ratios),
        spread: spread(ratios),
        best: fastest[i] / fastest[0],
        waitShare: median(waits[i]),
        seconds: all[i][0],
      }
    })
  } finally {
    log('')
    await Promise.all(teams.map(async (team) => team.end()))
  }
}

async function compareBandwidth(job: DdpJob, joined: Joined): Promise<void> {
  const gibs = (seconds: number) => ((4 * job.size) / seconds / 2 ** 30).toFixed(2)
  const own = gibs((await runOnce(job, 2, joined)).seconds)
  const plain = joined === 'threads' ? null : await plainMpi(joined, job.size)
  const beside = plain === null ? '' : `, plain MPI in C ${gibs(plain)} GiB/s`
  console.log(`all-reduce of ${(4 * job.size) / 2 ** 20} MiB, 2 ${joined}: ${own} GiB/s${beside}`)
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

async function execute([command, ...args]: readonly string[]): Promise<string> {
  const root = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
  const { stdout } = await promisify(execFile)(command, args, { env: { ...process.env, ...root } })
  return stdout
}
