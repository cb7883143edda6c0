import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const LAUNCHERS = ['openmpi', 'mpich', 'threads'] as const

export type Launcher = (typeof LAUNCHERS)[number]

export interface JobOptions {
  readonly folder: string
  readonly steps: number
  readonly ranks: number
  readonly launcher: Launcher
  /** Parts of the optimizer, and files of a checkpoint, for every rank. */
  readonly isSharded: boolean
}

export interface Kill {
  /** First step after which it may happen. */
  readonly step: number
  /** Wait until a checkpoint is being written. */
  readonly atSave: boolean
  readonly rank: number
  /** Milliseconds between the moment and the signal. */
  readonly delay: number
}

export interface RunningJob {
  /** Kills a rank when the moment has come; null where the job has ended before. */
  killAt(kill: Kill): Promise<number | null>
  /** A checkpoint was being written when the kill came. */
  wasSaving(): boolean
  readonly ended: Promise<{ code: number | null; step: number; stderr: string }>
}

const PROGRAM = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url))

const FLAGS =
  '--size 8 --patch 4 --batch 12 --timesteps 20 --backend cpu-wasm --threads 1 ' +
  '--schedule squaredcos_cap_v2 --sample-every none --checkpoint-every 6 --keep-last 4'

/** Small; and large enough that several ranks have something to write. */
const MODELS = { small: '--hidden 32 --depth 2 --heads 2', sharded: '--hidden 144 --depth 8 --heads 2' }

/** Starts a run, or resumes it where it has begun. */
export function startJob({ folder, steps, ranks, launcher, isSharded }: JobOptions): RunningJob {
  const begun = existsSync(join(folder, 'config.json'))
  const how = begun ? ['--resume', folder] : ['--out', folder]
  const flags = `${FLAGS} ${isSharded ? MODELS.sharded : MODELS.small}`.split(' ')
  const dit = [
    process.execPath,
    PROGRAM,
    'train',
    ...how,
    ...flags,
    '--steps',
    String(steps),
    '--patience',
    '20',
    '--json',
    ...(isSharded ? ['--shard-optimizer', '--shard-checkpoint'] : []),
  ]
  const threads = launcher === 'threads' ? ['--workers', String(ranks)] : []
  const [command, ...args] = [...launch(launcher, ranks), ...dit, ...threads]
  const root = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
  const child = spawn(command, args, { env: { ...process.env, ...root } })
  let [rest, stderr, step, isOver, isSaving] = ['', '', 0, false, false]
  let processes: number[] = []
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      if (!line.startsWith('{')) continue
      const event = JSON.parse(line) as { type: string; record?: { step: number }; processes?: string[] }
      if (event.type === 'step') step = event.record!.step
      if (event.type === 'workers') processes = event.processes!.map((of) => Number(of.split(':').at(-1)))
    }
  })
  const ended = new Promise<{ code: number | null; step: number; stderr: string }>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      isOver = true
      resolve({ code, step, stderr })
    })
  })
  return {
    async killAt({ step: from, atSave, rank, delay }) {
      while (!isOver && (step < from || (atSave && !saves(folder)))) await sleep(1)
      await sleep(delay)
      if (isOver) return null
      isSaving = saves(folder)
      process.kill(launcher === 'threads' ? child.pid! : processes[rank], 'SIGKILL')
      return rank
    },
    wasSaving: () => isSaving,
    ended,
  }
}

/** Whether a checkpoint folder waits for its manifest. */
function saves(folder: string): boolean {
  try {
    const checkpoints = join(folder, 'checkpoints')
    return readdirSync(checkpoints).some((name) => !existsSync(join(checkpoints, name, 'manifest.json')))
  } catch {
    return false
  }
}

/** Debian names the launchers of both families; elsewhere there is one. */
function launch(launcher: Launcher, ranks: number): string[] {
  if (launcher === 'threads') return []
  const own = `mpirun.${launcher}`
  const program = spawnSync(own, ['--version']).status === 0 ? own : 'mpirun'
  return [program, ...(launcher === 'openmpi' ? ['--oversubscribe'] : []), '-n', String(ranks)]
}

async function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
