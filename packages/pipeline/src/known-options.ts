import { didYouMean } from './classes/suggest.js'
import { OptionError } from './option-error.js'

/**
 * Throws for an option that there is not: a misspelt one would be ignored without a word.
 *
 * @param given as a program in JavaScript may give it
 * @throws OptionError naming the option, with the likely one; TypeError where these are no options
 */
export function requireKnown(who: string, given: unknown, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(
      `${who}: options must be an object such as { classes: ['disc'] } (got ${JSON.stringify(given)})`,
    )
  }
  const unknown = Object.entries(given).find(([name, value]) => value !== undefined && !known.includes(name))
  if (unknown === undefined) return
  throw new OptionError(unknown[0], `there is no such option${didYouMean(unknown[0], known)}`)
}
