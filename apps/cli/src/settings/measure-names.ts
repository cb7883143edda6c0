import { MEASURES, type MeasureName } from '@dit/evaluate'
import { InvalidArgumentError } from 'commander'
import { didYouMean } from './suggest.js'

/** Names that others have for measures. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  fid: 'It is called frechet; results title it FID if the features are those of FID.',
  sfid: 'It is called spatialFrechet.',
  mmd: 'It is called kid.',
  is: 'It is called inceptionScore.',
}

/** What cannot be measured while a run trains, and why. */
const NOT_IN_TRAINING: Readonly<Record<string, string>> = {
  authenticity: 'It searches all training pictures, which takes long; `dit eval` measures it.',
}

/** The measure of a name, however it is written. */
export function measureName(text: string): MeasureName {
  const name = text.trim()
  const known = MEASURES.find((measure) => measure.toLowerCase() === name.toLowerCase().replaceAll(/[-_ ]/g, ''))
  if (known !== undefined && !Object.hasOwn(NOT_IN_TRAINING, known)) return known
  const list = `Measures are ${MEASURES.filter((measure) => !Object.hasOwn(NOT_IN_TRAINING, measure)).join(', ')}`
  const hint = NOT_IN_TRAINING[known ?? ''] ?? ELSEWHERE[name.toLowerCase()] ?? `${list}${didYouMean(name, MEASURES)}`
  throw new InvalidArgumentError(known === undefined ? `There is no measure ${name}. ${hint}` : hint)
}

/** Names of measures with commas between, each once. */
export function measureList(text: string): string {
  const names = text.split(',').map(measureName)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new InvalidArgumentError(`It names ${twice} twice.`)
  return names.join(',')
}
