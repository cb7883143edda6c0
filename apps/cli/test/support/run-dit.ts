import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, onTestFinished } from 'vitest'
import { run } from '../../src/run-cli.js'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

let last: Promise<unknown> = Promise.resolve()

/** Runs `dit` in this process. Calls take turns: the working directory and the environment are the process's. */
export function runDit(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const turn = last.then(() => runHere(args, options))
  last = turn.catch(() => {})
  return turn
}

async function runHere(args: readonly string[], { cwd = process.cwd(), env = {} }: RunOptions): Promise<Finished> {
  const [cwdBefore, envBefore] = [process.cwd(), { ...process.env }]
  process.chdir(cwd)
  Object.assign(process.env, env)
  let [stdout, stderr] = ['', '']
  try {
    const code = await run(args, {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
    })
    return { code, stdout, stderr }
  } finally {
    process.chdir(cwdBefore)
    for (const name of Object.keys(env)) {
      if (envBefore[name] === undefined) delete process.env[name]
      else process.env[name] = envBefore[name]
    }
  }
}

/** The built program, as users run it. */
export const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface ProcessOptions extends RunOptions {
  /** Sends Ctrl-C as soon as this is printed. */
  readonly interruptAt?: RegExp
}

/** Runs the built `dit` as a process to its end, as signals, workers and launchers need it. */
export async function runProcess(
  args: readonly string[],
  { cwd, env, interruptAt }: ProcessOptions = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, env: { ...process.env, ...env } })
  let [stdout, stderr, isInterrupted] = ['', '', false]
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    if (interruptAt === undefined || isInterrupted || !interruptAt.test(stdout)) return
    isInterrupted = true
    child.kill('SIGINT')
  })
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dit-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A folder that is removed when all tests of the file have ended. */
export function keptFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dit-cli-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
