import { didYouMean } from '../settings/suggest.js'
import { UsageError } from '../terminal/errors.js'
import { IMAGENET_CLASSES } from './imagenet-classes.js'

/** Names of each class; a few belong to two. */
const NAMES = IMAGENET_CLASSES.map((names) => names.split(', '))

/**
 * Labels of ImageNet that a list such as `golden retriever,417` or `all` asks for: any name of a class, in any case, or its
 * number.
 *
 * @throws UsageError that names the unknown or ambiguous class, with likely ones
 */
export function parseImagenet(text: string): number[] {
  if (text.trim() === 'all') return NAMES.map((_, label) => label)
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  if (words.length === 0) throw new UsageError('--classes must name a class, such as golden retriever, or be all')
  return words.map(parseClass)
}

/** The most usual name of a label. */
export function imagenetName(label: number): string {
  return NAMES[label][0]
}

function parseClass(word: string): number {
  const plain = word.toLowerCase()
  const found = NAMES.flatMap((names, label) => (names.some((name) => name.toLowerCase() === plain) ? [label] : []))
  if (found.length === 1) return found[0]
  if (found.length > 1) {
    const each = found.map((label) => `${label} (${IMAGENET_CLASSES[label]})`).join(' or ')
    throw new UsageError(`--classes: ${word} is the name of several classes; give a number: ${each}`)
  }
  if (/^\d+$/.test(word) && Number(word) < NAMES.length) return Number(word)
  if (/^\d+$/.test(word)) throw new UsageError(`--classes: there is no class ${word}; classes are 0 to 999`)
  throw new UsageError(`--classes: unknown class ${word} of ImageNet${didYouMean(word, NAMES.flat())}`)
}
