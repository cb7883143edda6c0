import { run } from '../../src/run-cli.js'
import type { Finished } from './run-dit.js'

export interface RunUntilOptions {
  readonly cwd: string
  /** Stops at the first step by which so many pictures are finished. */
  readonly pictures: number
}

/** Runs `dit sample … --json` in this process and stops it as a signal would, in the middle. */
export async function runUntil(args: readonly string[], { cwd, pictures }: RunUntilOptions): Promise<Finished> {
  const before = process.cwd()
  process.chdir(cwd)
  let [stdout, stderr, isStopped] = ['', '', false]
  const write = (text: string) => {
    stdout += text
    const event = JSON.parse(text) as { type: string; finished: number }
    if (isStopped || event.type !== 'step' || event.finished < pictures) return
    isStopped = true
    process.emit('SIGUSR2')
  }
  try {
    const code = await run([...args, '--json'], {
      stdout: { write },
      stderr: { write: (text) => void (stderr += text) },
    })
    return { code, stdout, stderr: stderr + noticesOf(stdout) }
  } finally {
    process.chdir(before)
  }
}

/** Under `--json` notices are events: as the lines that they are without. */
function noticesOf(stdout: string): string {
  const events = stdout.split('\n').filter((line) => line !== '')
  return events
    .map((line) => JSON.parse(line) as { type: string; text: string })
    .filter(({ type }) => type === 'notice')
    .map(({ text }) => `dit: ${text}\n`)
    .join('')
}
