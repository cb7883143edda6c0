import { OpenError, OptionError, optionProblem } from '@dit/pipeline'
import { inFlags, optionFlag } from '../settings/option-flag.js'
import { EXIT, messageOf, UsageError } from './errors.js'

/** The message and exit code for whatever was thrown, with flags in place of the options of `@dit/pipeline`. */
export function explain(error: unknown): { message: string; exitCode: number } {
  if (error instanceof OpenError) return { message: inFlags(error.message), exitCode: EXIT.usage }
  if (error instanceof OptionError) {
    const { option, problem, value } = error
    return { message: optionProblem(optionFlag(option), inFlags(problem), value), exitCode: EXIT.usage }
  }
  return { message: inCommandLine(messageOf(error)), exitCode: error instanceof UsageError ? EXIT.usage : EXIT.failure }
}

/** A message of `train`, whose caller here is a command line. */
function inCommandLine(message: string): string {
  return message.replace(/^train: /, '').replace('allowInexact (--allow-inexact)', '--allow-inexact')
}
