import { OptionError } from '../option-error.js'
import type { ClassNames } from './class-names.js'
import { didYouMean } from './suggest.js'

/** Class names that an error lists. */
const LISTED = 12

/**
 * Labels that classes such as `circle,3`, `['circle', 3]` or `all` mean. A name goes before a number; a text may be one of the synonyms
 * that a name lists with commas, in any case and with its accents encoded in any way.
 *
 * @throws OptionError that names the unknown or ambiguous class, with a likely one
 */
export function parseClasses(
  classes: string | number | readonly (string | number)[],
  known: ClassNames,
): readonly number[] {
  const { names } = known
  if (typeof classes === 'number') return [labelOf(classes, known)]
  if (typeof classes !== 'string') {
    if (classes.length === 0)
      throw new OptionError('classes', `it must name at least one class, or be all; ${listOf(known)}`)
    return classes.map((each) => labelOf(each, known))
  }
  if (classes.trim() === 'all') return names.map((_, label) => label)
  // A whole text may be one name: folders may have commas in theirs.
  const whole = names.indexOf(classes.trim())
  if (whole >= 0 && classes.includes(',')) return [whole]
  const words = classes
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  if (words.length === 0)
    throw new OptionError('classes', `it must name at least one class, or be all; ${listOf(known)}`)
  return words.map((word) => labelOf(word, known))
}

function labelOf(word: string | number, known: ClassNames): number {
  const { names } = known
  if (typeof word === 'string') {
    const exact = known.from === 'model' ? names.indexOf(word) : -1
    if (exact >= 0 && exact === names.lastIndexOf(word)) return exact
    const found = withSynonym(word, names)
    if (found.length === 1) return found[0]
    if (found.length > 1) {
      const each = found.map((label) => `${label} (${names[label]})`).join(' or ')
      throw new OptionError('classes', `several classes are called ${word}; give the number: ${each}`)
    }
  }
  if (typeof word === 'number' || /^\d+$/.test(word)) {
    const label = Number(word)
    if (Number.isInteger(label) && label >= 0 && label < names.length) return label
    throw new OptionError('classes', `there is no class ${word}; the classes are 0 to ${names.length - 1}`)
  }
  const { from } = known
  const all = names.flatMap((name) => [name, ...synonyms(name)])
  const what = from === 'imagenet' ? `ImageNet has no class ${word}` : `the model has no class ${word}`
  const list = from === 'imagenet' ? '' : `; ${listOf(known)}`
  throw new OptionError('classes', `${what}${didYouMean(word, all)}${list}`)
}

/** Labels of the classes that have a name, in any case, among their synonyms. */
function withSynonym(word: string, names: readonly string[]): number[] {
  const plain = alike(word.trim())
  return names.flatMap((name, label) =>
    [name, ...synonyms(name)].some((each) => alike(each) === plain) ? [label] : [],
  )
}

/** The same for what people take for the same: letters of any case, and accents however they are encoded (NFC, NFD). */
function alike(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

function synonyms(name: string): string[] {
  return name.includes(',') ? name.split(',').map((each) => each.trim()) : []
}

function listOf({ names, from }: ClassNames): string {
  if (from === 'numbers') return `the classes have no names, only the numbers 0 to ${names.length - 1}`
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : ''
  const listed = names.slice(0, LISTED)
  return `the classes are ${listed.join(listed.some((name) => name.includes(',')) ? '; ' : ', ')}${more}`
}
