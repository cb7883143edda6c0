import { betaSigmas, exponentialSigmas, karrasSigmas, type SigmaRange } from '@dit/schedules'

/** Sigmas spread over a range in one of three ways. */
export function spread(kind: 'karras' | 'exponential' | 'beta', range: SigmaRange, numSteps: number): Float64Array {
  switch (kind) {
    case 'karras':
      return karrasSigmas(range, numSteps)
    case 'exponential':
      return exponentialSigmas(range, numSteps)
    default:
      return betaSigmas(range, numSteps)
  }
}
