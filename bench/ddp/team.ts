import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { DdpJob, DdpStep } from './job.js'

/** How two workers find each other. */
export type Joined = 'threads' | 'openmpi' | 'mpich'

/** Jobs that run side by side, step by step when they are told to. */
export interface Team {
  /** Lets every job do so many steps and returns what each tells of them. */
  take(steps: number): Promise<readonly (readonly DdpStep[])[]>
  end(): Promise<void>
}

/** Starts `jobs` jobs of `workers` workers each, which wait for their first turn. */
export async function startTeam(job: DdpJob, jobs: number, workers: number, joined: Joined): Promise<Team> {
  let allowed = 0
  const ranks = new Set<Socket>()
  const server = createServer((rank) => {
    // Of a rank that is lost its job tells.
    rank.on('error', () => {}).write(new Uint8Array(allowed))
    ranks.add(rank)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: turns } = server.address() as AddressInfo
  const runs = Array.from({ length: jobs }, () => startRun({ ...job, turns }, workers, joined))
  return {
    async take(steps) {
      allowed += steps
      for (const rank of ranks) rank.write(new Uint8Array(steps))
      return Promise.all(runs.map(async (run) => run.read(steps)))
    },
    async end() {
      for (const rank of ranks) rank.end()
      server.close()
      await Promise.all(runs.map(async ({ ended }) => ended))
    },
  }
}

/** Runs a job that takes no turns, and returns its only line. */
export async function runOnce(job: DdpJob, workers: number, joined: Joined): Promise<DdpStep> {
  const run = startRun(job, workers, joined)
  const [step] = await run.read(1)
  await run.ended
  return step
}

function startRun(job: DdpJob, workers: number, joined: Joined) {
  const script = fileURLToPath(new URL('job.ts', import.meta.url))
  const node = [process.execPath, ...process.execArgv, script, JSON.stringify(job), String(workers)]
  const [command, ...args] = [...(joined === 'threads' ? [] : launcher(joined)!), ...node]
  const root = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
  const child = spawn(command, args, { env: { ...process.env, ...root }, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = endOf(child)
  // Whoever reads hears of an early end there.
  ended.catch(() => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    ended,
    async read(count: number): Promise<DdpStep[]> {
      const found: DdpStep[] = []
      while (found.length < count) {
        const { value, done } = await lines.next()
        if (done === true) {
          await ended
          throw new Error(`bench: a job of ${workers} worker(s) ended before its turn was over`)
        }
        // Launchers have lines of their own.
        if (value.startsWith('{')) found.push(JSON.parse(value) as DdpStep)
      }
      return found
    },
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject))
  if (code !== 0) throw new Error(`bench: a job ended with ${String(code)}`)
}

/** Command that starts two processes; null where this family is not here. Debian names the families' launchers. */
export function launcher(name: Exclude<Joined, 'threads'>): string[] | null {
  const program = `mpirun.${name}`
  if (spawnSync(program, ['--version']).status !== 0) return null
  return [program, ...(name === 'openmpi' ? ['--oversubscribe'] : []), '-n', '2']
}
