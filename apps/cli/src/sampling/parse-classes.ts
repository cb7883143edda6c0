import { didYouMean } from '../settings/suggest.js'
import { UsageError } from '../terminal/errors.js'

/** Class names that an error lists. */
const LISTED = 12

/**
 * Labels that a list such as `circle,3` or `all` asks for. A name goes before a number.
 *
 * @throws UsageError that names the unknown class, with a likely one
 */
export function parseClasses(text: string, classes: readonly string[]): number[] {
  if (text.trim() === 'all') return classes.map((_, label) => label)
  // A whole list may be one name: folders may have commas in theirs.
  const whole = classes.indexOf(text.trim())
  if (whole >= 0) return [whole]
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  if (words.length === 0) throw new UsageError(`--classes must name a class, or be all; ${known(classes)}`)
  return words.map((word) => parseClass(word, classes))
}

function parseClass(word: string, classes: readonly string[]): number {
  const label = classes.indexOf(word)
  if (label >= 0) return label
  if (/^\d+$/.test(word)) {
    if (Number(word) < classes.length) return Number(word)
    throw new UsageError(`--classes: there is no class ${word}; classes are 0 to ${classes.length - 1}`)
  }
  throw new UsageError(`--classes: unknown class ${word}${didYouMean(word, classes)}; ${known(classes)}`)
}

function known(classes: readonly string[]): string {
  const more = classes.length > LISTED ? ` and ${classes.length - LISTED} more` : ''
  return `the classes are ${classes.slice(0, LISTED).join(', ')}${more}`
}
