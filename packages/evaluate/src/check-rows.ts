import type { Products } from '@dit/metrics'
import { isStatistics } from './measures/measured.js'
import { measureSides } from './measures/measure-sides.js'
import { MEASURES, type MeasureName } from './measures/names.js'
import { meanOf, NEIGHBOUR_MEASURES } from './measures/neighbours.js'
import type { EvaluationWithRows } from './rows.js'

/**
 * Checks that the values of an evaluation are those of its rows: intervals are taken of rows, and must belong to the values.
 *
 * @throws RangeError for rows of another count or width, a measure that there is none of, or a value that the rows do not give
 */
export function checkRows(
  { evaluation, rows }: EvaluationWithRows,
  { k, products }: { readonly k: number; readonly products: Products },
): void {
  const { generated, extractor, measures, seed } = evaluation
  const { name } = generated
  const [count, width] = rows.generated.features.shape
  if (count !== generated.count || width !== extractor.width) {
    throw new RangeError(
      `compareEvaluations: the rows of ${name} are [${count}, ${width}], and its evaluation has ${generated.count} samples of ${extractor.width} numbers; they are of two evaluations`,
    )
  }
  const unknown = measures.find(({ measure }) => !(MEASURES as readonly string[]).includes(measure))
  if (unknown !== undefined)
    throw new RangeError(`compareEvaluations: there is no measure ${unknown.measure}; ${name} has it`)
  const names = measures.map(({ measure }) => measure as MeasureName)
  const found = measureSides(
    rows,
    names.filter((one) => one !== 'authenticity' && canBeTaken(one, rows)),
    { products, k, seed, resampling: null },
  )
  for (const { measure, value } of measures) {
    const own = measure === 'authenticity' ? authenticOf(rows) : (found.get(measure as MeasureName)?.value ?? null)
    if (own !== null && Math.abs(own - value) <= toleranceOf(measure, own)) continue
    const isOfNeighbours = (NEIGHBOUR_MEASURES as readonly string[]).includes(measure)
    const advice = isOfNeighbours ? `; give the k that it was measured with, which is not ${k}` : ''
    throw new RangeError(
      `compareEvaluations: ${measure} of ${name} is ${value} in its evaluation, and ${own ?? 'missing'} of its rows${advice}; one of them was changed, or both are of two evaluations`,
    )
  }
}

function canBeTaken(name: MeasureName, { real, generated }: EvaluationWithRows['rows']): boolean {
  if (name === 'spatialFrechet') return real.spatial !== null && generated.spatial !== null
  if (name === 'inceptionScore') return generated.logits !== null
  return !isStatistics(real) || ['frechet', 'frechetInfinity', 'vendi'].includes(name)
}

function authenticOf({ authentic }: EvaluationWithRows['rows']): number | null {
  return authentic === null ? null : meanOf(authentic, Int32Array.from(authentic.keys()))
}

/** How far values may be apart that other products have rounded: where distances are equal, a neighbour may be another. */
function toleranceOf(measure: string, value: number): number {
  return (NEIGHBOUR_MEASURES as readonly string[]).includes(measure) ? 0.02 : 1e-3 * Math.abs(value) + 1e-5
}
