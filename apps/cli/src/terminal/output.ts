import { WriteStream } from 'node:tty'
import { UsageError } from './errors.js'
import type { Io } from './io.js'
import { asTyped } from './as-typed.js'
import { printable } from './printable.js'

/** Where a command's words go. */
export interface Output {
  /** Lines and objects are printed as one JSON value a line, for programs. */
  readonly isJson: boolean
  /** Nothing but notices is for the user's eyes. */
  readonly isQuiet: boolean
  /** The terminal that progress is shown on; null where there is none. */
  readonly terminal: WriteStream | null
  /** A line for the user on stdout; nothing under `--quiet` and `--json`. */
  line(text?: string): void
  /** Something the user should know, on stderr; an object of type `notice` under `--json`. Never suppressed. */
  notice(text: string): void
  /** A machine-readable event, under `--json` only. */
  event(value: object): void
}

export interface OutputOptions {
  readonly quiet?: boolean
  readonly json?: boolean
}

export function createOutput({ quiet = false, json = false }: OutputOptions, { stdout, stderr }: Io): Output {
  if (quiet && json) throw new UsageError('--quiet and --json contradict each other; give only one')
  const event = (value: object) => void stdout.write(`${JSON.stringify(value)}\n`)
  return {
    isJson: json,
    isQuiet: quiet || json,
    terminal: stderr instanceof WriteStream ? stderr : null,
    line(text = '') {
      if (!quiet && !json) stdout.write(`${printable(asTyped(text))}\n`)
    },
    notice(said) {
      const text = asTyped(said)
      if (json) event({ type: 'notice', text })
      else stderr.write(`dit: ${printable(text)}\n`)
    },
    event(value) {
      if (json) event(value)
    },
  }
}
