import { createInterface } from 'node:readline/promises'
import { CreateError } from './create-error.js'

/** Where questions are asked and answered. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream
}

/**
 * Asks a question; an empty answer is `fallback`.
 *
 * @throws CreateError if the input ends instead (Ctrl-C, Ctrl-D)
 */
export async function ask({ input, output }: Terminal, question: string, fallback: string): Promise<string> {
  const lines = createInterface({ input, output })
  try {
    const ended = new Promise<null>((resolve) => lines.once('close', () => resolve(null)))
    const answer = await Promise.race([lines.question(`${question} (${fallback}): `), ended])
    if (answer === null) throw new CreateError('\ncreate-dit: stopped; nothing was written')
    return answer.trim() === '' ? fallback : answer.trim()
  } finally {
    lines.close()
  }
}
