import { spawn } from 'node:child_process'
import { PROGRAM } from './run-dit.js'

export interface Stopped {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
  /** Last step that it told of. */
  readonly step: number
}

/** Runs `dit … --json` and sends it a signal when it tells of a step. */
export async function stopDit(args: readonly string[], step: number, signal: NodeJS.Signals): Promise<Stopped> {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--json'])
  let [line, stderr, last] = ['', '', 0]
  const read = (text: string) => {
    const event = JSON.parse(text) as { type: string; done?: number; record?: { step: number } }
    if (event.type !== 'step') return
    const isBefore = last < step
    last = event.record?.step ?? event.done ?? 0
    if (isBefore && last >= step) child.kill(signal)
  }
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (line + chunk.toString()).split('\n')
    line = lines.pop() ?? ''
    lines.forEach(read)
  })
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, by) => resolve({ code, signal: by, stderr, step: last }))
  })
}
