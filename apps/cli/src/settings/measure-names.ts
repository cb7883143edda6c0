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

/** The measure of a name that can be taken while a run trains, however it is written. */
export function measureName(text: string): MeasureName {
  return knownMeasure(text, NOT_IN_TRAINING)
}

/** Names of measures for a run that trains, with commas between, each once. */
export function measureList(text: string): string {
  return eachOnce(text.split(',').map(measureName)).join(',')
}

/** Names of measures for `dit eval`, with commas between, each once; or all. */
export function measuresOf(text: string): readonly MeasureName[] {
  if (text.trim() === 'all') return MEASURES
  return eachOnce(text.split(',').map((name) => knownMeasure(name, {})))
}

function knownMeasure(text: string, excluded: Readonly<Record<string, string>>): MeasureName {
  const name = text.trim()
  const known = MEASURES.find((measure) => measure.toLowerCase() === name.toLowerCase().replaceAll(/[-_ ]/g, ''))
  if (known !== undefined && !Object.hasOwn(excluded, known)) return known
  if (known !== undefined) throw new InvalidArgumentError(excluded[known])
  const usual = MEASURES.filter((measure) => !Object.hasOwn(excluded, measure))
  const hint = ELSEWHERE[name.toLowerCase()] ?? `Measures are ${usual.join(', ')}${didYouMean(name, usual)}`
  throw new InvalidArgumentError(`There is no measure ${name}. ${hint}`)
}

function eachOnce(names: readonly MeasureName[]): readonly MeasureName[] {
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new InvalidArgumentError(`It names ${twice} twice.`)
  return names
}
