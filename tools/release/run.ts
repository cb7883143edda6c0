import { spawn } from 'node:child_process'

/** What a finished process left behind; `code` is null when a signal ended it. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program with no input and collects what it prints. A program that takes longer than `seconds` is killed. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, env = process.env, seconds = 300 }: { cwd: string; env?: NodeJS.ProcessEnv; seconds?: number },
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: seconds * 1000 })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** As `run`, but anything other than exit code 0 is an error that shows what the program printed. */
export async function runOrThrow(...[command, args, options]: Parameters<typeof run>): Promise<Finished> {
  const finished = await run(command, args, options)
  if (finished.code === 0) return finished
  const ending = finished.code === null ? 'was stopped (out of time?)' : `ended with exit code ${finished.code}`
  throw new Error(`${command} ${args.join(' ')} ${ending}\n${finished.stdout}${finished.stderr}`.trimEnd())
}
