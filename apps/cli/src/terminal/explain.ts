import { NpyError, SafetensorsError, ShardsError, TorchError } from '@dit/checkpoint'
import { WebFileError } from '@dit/checkpoint/web'
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
  if (error instanceof WebFileError) return { message: ofAddress(error.message), exitCode: EXIT.failure }
  // A damaged or hostile file, or one of another kind, is an input that is wrong; these name it.
  if (READERS.some((kind) => error instanceof kind)) return { message: asPath(messageOf(error)), exitCode: EXIT.usage }
  return { message: inCommandLine(messageOf(error)), exitCode: error instanceof UsageError ? EXIT.usage : EXIT.failure }
}

/** What a server answered, without the function that asked it and the option that the command line has no flag for. */
function ofAddress(message: string): string {
  return message
    .replace(/^(?:fetchFile|urlSource): /, '')
    .replace('`headers` can carry a token', 'the variable HF_TOKEN can hold a token for hf:owner/name')
}

/** What the readers of files throw. */
const READERS = [SafetensorsError, TorchError, ShardsError, NpyError] as const

/** A file that is of another kind is not told as one of the reader's. */
function asPath(message: string): string {
  return message.replace(/^(?:safetensors|torch file) (.+?): (?=this looks like)/s, '$1: ')
}

/** A message of `train`, whose caller here is a command line. */
function inCommandLine(message: string): string {
  return message.replace(/^train: /, '').replace('allowInexact (--allow-inexact)', '--allow-inexact')
}
