import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONFIG_FILE } from '../run/run-config.js'
import { EXIT, Failure } from '../terminal/errors.js'
import { onInterrupt } from '../terminal/interrupt.js'
import type { Output } from '../terminal/output.js'

/** Set for the processes of a supervised job, which must not supervise again: a file for rank 0 to list the processes in. */
export const SUPERVISED = 'DIT_SUPERVISED'

/** Milliseconds between the end of a job and its next start. */
const PAUSE = 1000

export interface Supervision {
  /** Folder of the run: a job that has begun it is resumed. */
  readonly folder: string
  readonly isResume: boolean
  readonly maxRestarts: number
  /** Command of an MPI launcher that starts the workers, or undefined for this program alone. */
  readonly mpirun: string | undefined
}

/**
 * Runs `dit` with the same arguments as a process of its own, or as several that an MPI launcher starts, and starts it again from
 * its last checkpoint when it fails. A wrong command line, and a stop that was asked for, are no failures.
 *
 * @returns the exit code of the last start
 */
export async function supervise(supervision: Supervision, output: Output): Promise<number> {
  const { folder, isResume, maxRestarts, mpirun } = supervision
  const launcher = mpirun?.split(/\s+/).filter((word) => word !== '') ?? []
  let child: ReturnType<typeof spawn> | null = null
  const interruption = onInterrupt(() => void child?.kill('SIGTERM'))
  const folderOfList = await mkdtemp(join(tmpdir(), 'dit-job-'))
  const list = join(folderOfList, 'processes.json')
  try {
    for (let restart = 0; ; restart++) {
      const hasBegun = (await stat(join(folder, CONFIG_FILE)).catch(() => null)) !== null
      const resume = hasBegun && restart > 0 && !isResume ? ['--resume', folder] : []
      const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1), ...resume]
      const [command, ...args] = [...launcher, ...program]
      // A group of its own: Ctrl-C reaches it through this process alone.
      child = spawn(command, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
        env: { ...process.env, [SUPERVISED]: list },
      })
      const tail = passOn(child)
      const { code, text } = await endOf(child, command)
      const dead = await deadRank(tail(), list)
      const asked = interruption.exitCode()
      if (asked !== null) return code === EXIT.ok ? EXIT.ok : asked
      if (code === EXIT.ok || code === EXIT.usage || isStop(code)) return code
      if (dead !== null) output.notice(dead)
      if (restart >= maxRestarts) {
        if (maxRestarts > 0) output.notice(`the job ended with ${text} after ${restart} restarts; no restarts are left`)
        return code
      }
      output.notice(`the job ended with ${text}; restart ${restart + 1} of ${maxRestarts} from the last checkpoint`)
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  } finally {
    interruption.dispose()
    await rm(folderOfList, { recursive: true, force: true })
  }
}

/** Passes what a process prints on, and keeps the end of it. */
function passOn({ stdout, stderr }: ReturnType<typeof spawn>): () => string {
  let tail = ''
  const pass = (to: NodeJS.WriteStream) => (chunk: Buffer) => {
    to.write(chunk)
    tail = (tail + chunk.toString()).slice(-10_000)
  }
  stdout!.on('data', pass(process.stdout))
  stderr!.on('data', pass(process.stderr))
  return () => tail
}

/** MPICH's launcher names the process that is gone; this is its rank. */
async function deadRank(tail: string, list: string): Promise<string | null> {
  const [, pid, host] = /PID (\d+) RUNNING AT (\S+)/.exec(tail) ?? []
  if (pid === undefined) return null
  const text = await readFile(list, 'utf8').catch(() => '[]')
  const rank = (JSON.parse(text) as string[]).findIndex((process) => process.endsWith(`:${pid}`))
  return rank < 0 ? null : `rank ${rank} (process ${pid} on ${host}) is gone`
}

async function endOf(
  child: ReturnType<typeof spawn>,
  command: string,
): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => {
      reject(new Failure(`cannot start ${command}: ${cause.message}`, { cause }))
    })
    child.on('close', (code, signal) => {
      resolve(code === null ? { code: EXIT.failure, text: signal! } : { code, text: `exit code ${code}` })
    })
  })
}

/** Exit codes after SIGHUP, SIGINT, SIGUSR2 and SIGTERM: the run was asked to stop and has saved. */
function isStop(code: number): boolean {
  return [129, 130, 140, 143].includes(code)
}
