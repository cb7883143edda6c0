import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The command line of this clone, as it was built. */
export const PROGRAM = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url))
/** Of a program that Ctrl-C stopped. */
const INTERRUPTED = 130

/**
 * Runs the command line of this clone, whose output is shown.
 *
 * @param minutes after which it is stopped as by Ctrl-C, so that it keeps what it has
 * @returns whether it ended by itself
 * @throws Error where it fails
 */
export async function runDit(args: readonly string[], { minutes = Infinity } = {}): Promise<boolean> {
  console.log(`\n$ dit ${args.map((arg) => (/^[\w./:=,@-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ')}`)
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
  const stop = () => child.kill('SIGINT')
  const timer = minutes === Infinity ? undefined : setTimeout(stop, minutes * 60_000)
  // Ctrl-C reaches the program by itself; this process waits for it.
  const wait = () => {}
  process.on('SIGINT', wait)
  try {
    const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve({ code, signal }))
    })
    if (code === 0) return true
    // By itself where it had begun; otherwise before it could.
    if (code === INTERRUPTED || signal === 'SIGINT') return false
    throw new Error(`dit ${args[0]} ended with ${code === null ? `signal ${signal}` : `exit code ${code}`}`)
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', wait)
  }
}
