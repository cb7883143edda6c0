import { UsageError } from './errors.js'
import { printable } from './printable.js'

/** Where a command's words go. */
export interface Output {
  /** Lines and objects are printed as one JSON value a line, for programs. */
  readonly isJson: boolean
  /** Nothing but notices is for the user's eyes. */
  readonly isQuiet: boolean
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

export function createOutput({ quiet = false, json = false }: OutputOptions): Output {
  if (quiet && json) throw new UsageError('--quiet and --json exclude each other')
  const event = (value: object) => void process.stdout.write(`${JSON.stringify(value)}\n`)
  return {
    isJson: json,
    isQuiet: quiet || json,
    line(text = '') {
      if (!quiet && !json) process.stdout.write(`${printable(text)}\n`)
    },
    notice(text) {
      if (json) event({ type: 'notice', text })
      else process.stderr.write(`dit: ${printable(text)}\n`)
    },
    event(value) {
      if (json) event(value)
    },
  }
}
