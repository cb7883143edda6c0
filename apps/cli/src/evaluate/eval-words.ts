import { UsageError } from '../terminal/errors.js'

/** Options of `evaluate` in its errors, and the flags that give them. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(?:evaluate|compareEvaluations): /, ''],
  [/, or allow duplicates$/, ', or go on with --allow-duplicates'],
  [/or choose the other classes$/, 'or choose the other classes with --classes'],
  [/Choose classes that both have$/, 'Choose classes that both have with --classes'],
  [/\bgive the k that it was measured with\b/, 'give the --neighbours that it was measured with'],
  [/\bcount must be\b/, '--count must be'],
]

/** Runs work whose errors of input become usage errors, in the words of the command line. */
export async function inEvalFlags<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isOfInput(error)) throw error
    const { message } = error
    throw new UsageError(
      WORDS.reduce((text, [pattern, word]) => text.replace(pattern, word), message),
      { cause: error },
    )
  }
}

/** Whether the evaluation says that its input cannot be. */
export function isOfInput(error: unknown): error is RangeError {
  return error instanceof RangeError && /^(?:evaluate|compareEvaluations): /.test(error.message)
}
