import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Mpi } from './find-mpi.js'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly seconds: number
}

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))

/** Runs a program (a file of TypeScript) as a job of `workers`: threads of one process, or processes that MPI starts. */
export async function runJob(
  program: URL,
  job: object,
  workers: number,
  mpi: Mpi | null,
  onOutput: (stdout: string) => void = () => {},
): Promise<Ended> {
  const script = fileURLToPath(program)
  const node = [
    process.execPath,
    '--max-old-space-size=128',
    '--conditions=@dit/source',
    '--import',
    './tools/typescript.mjs',
    script,
  ]
  const [command, ...args] = [...(mpi?.command(workers) ?? []), ...node, JSON.stringify(job), String(workers)]
  const began = performance.now()
  const child = spawn(command, args, { cwd: REPOSITORY, env: { ...process.env, ...mpi?.env } })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    onOutput(stdout)
  })
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr, seconds: (performance.now() - began) / 1000 }))
  })
}
