import { MEASURES } from '../in-training/library.js'
import { InvalidArgumentError } from 'commander'
import { didYouMean } from './suggest.js'

/** The name of a measure. */
export function measureName(text: string): string {
  const name = text.trim()
  if ((MEASURES as readonly string[]).includes(name)) return name
  throw new InvalidArgumentError(`It must be one of ${MEASURES.join(', ')}${didYouMean(name, MEASURES)}`)
}

/** Names of measures with commas between, each once. */
export function measureList(text: string): string {
  const names = text.split(',').map(measureName)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new InvalidArgumentError(`It names ${twice} twice.`)
  return names.join(',')
}
