import { spatialLayer } from './measures/extractor-facts.js'
import { MEASURES, type MeasureName, USUAL_MEASURES } from './measures/names.js'
import { type EvaluateOptions, isReference, type ReferenceStatistics } from './options.js'
import type { PictureSet } from './sets/picture-set.js'

/**
 * Measures that can be had, and a sentence for those that cannot.
 *
 * @throws RangeError for one that is named and cannot be had
 */
export function chooseMeasures(
  { measures, extractor }: EvaluateOptions,
  { real, training }: { readonly real: PictureSet | ReferenceStatistics; readonly training: boolean },
): { measures: MeasureName[]; missing: string[] } {
  const unknown = measures?.find((name) => !MEASURES.includes(name))
  if (unknown !== undefined)
    throw new RangeError(`evaluate: there is no measure ${unknown}; measures are ${MEASURES.join(', ')}`)
  if (measures?.length === 0) throw new RangeError('evaluate: there must be at least one measure')
  const reasonAgainst = (name: MeasureName): string | null => {
    if (name === 'inceptionScore' && extractor.logits === null) return `${extractor.name} is no classifier`
    if (name === 'spatialFrechet' && spatialLayer(extractor) === null) return `${extractor.name} has no spatial layer`
    if (name === 'authenticity' && !training) return 'there is no training set'
    if (!isReference(real)) return null
    if (name === 'spatialFrechet' && real.statistics.spatial === null) return 'the statistics have no spatial part'
    const isEnough = [
      'frechet',
      'frechetInfinity',
      'spatialFrechet',
      'vendi',
      'inceptionScore',
      'authenticity',
    ].includes(name)
    return isEnough ? null : 'the real data are statistics, which hold means and covariances but no pictures'
  }
  if (measures !== undefined) {
    for (const name of measures) {
      const reason = reasonAgainst(name)
      if (reason !== null) throw new RangeError(`evaluate: ${name} cannot be measured: ${reason}`)
    }
    return { measures: MEASURES.filter((name) => measures.includes(name)), missing: [] }
  }
  const missing = new Map<string, MeasureName[]>()
  const possible = USUAL_MEASURES.filter((name) => {
    const reason = reasonAgainst(name)
    if (reason === null) return true
    // What an extractor never has is no news.
    if (isReference(real) && reason.startsWith('the ')) missing.set(reason, [...(missing.get(reason) ?? []), name])
    return false
  })
  return {
    measures: possible,
    missing: [...missing].map(([reason, names]) => `not measured: ${names.join(', ')}, as ${reason}`),
  }
}
