import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Sends Ctrl-C as soon as this is printed. */
  readonly interruptAt?: RegExp
}

/** The built program, as users run it. */
export const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** Runs `dit` as a process to its end. */
export async function runDit(args: readonly string[], { cwd, env, interruptAt }: RunOptions = {}): Promise<Finished> {
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
