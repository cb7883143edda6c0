import { measureInceptionScore, measureVendi } from './alone.js'
import { measureFrechet, measureFrechetInfinity } from './frechet.js'
import { measureCmmd, measureKid } from './kernel.js'
import { isStatistics, type Measured, type MeasureOptions, type SideFeatures, type Sides } from './measured.js'
import type { MeasureName } from './names.js'
import { measureNeighbours, NEIGHBOUR_MEASURES, type NeighbourMeasure } from './neighbours.js'

/** Measures of two sides, in the order asked for. Authenticity needs a training set and is taken elsewhere. */
export function measureSides(
  sides: Sides,
  names: readonly MeasureName[],
  options: MeasureOptions,
): Map<MeasureName, Measured> {
  const { real, generated } = sides
  const found = new Map<MeasureName, Measured>()
  const neighbours = names.some(isNeighbourMeasure)
    ? measureNeighbours((real as SideFeatures).features, generated.features, options)
    : null
  for (const name of names) {
    const measured = isNeighbourMeasure(name) ? neighbours![name] : measureOne(name, sides, options)
    if (measured !== null) found.set(name, measured)
  }
  return found
}

function measureOne(name: MeasureName, { real, generated }: Sides, options: MeasureOptions): Measured | null {
  const { features, spatial, logits } = generated
  const pooled = isStatistics(real) ? real.pooled : real.features
  switch (name) {
    case 'frechet':
      return measureFrechet(pooled, features, options)
    case 'spatialFrechet':
      return measureFrechet(real.spatial!, spatial!, options)
    case 'frechetInfinity':
      return measureFrechetInfinity(pooled, features, options)
    case 'kid':
      return measureKid((real as SideFeatures).features, features, options)
    case 'cmmd':
      return measureCmmd((real as SideFeatures).features, features, options)
    case 'vendi':
      return measureVendi(features, options)
    case 'inceptionScore':
      return measureInceptionScore(logits!, options)
    default:
      return null
  }
}

function isNeighbourMeasure(name: MeasureName): name is NeighbourMeasure {
  return (NEIGHBOUR_MEASURES as readonly string[]).includes(name)
}
