import { isSigmaSpacing, type SigmaSpacing, spreadSigmas } from '../spaced-path.js'
import { checkShift, shiftTime } from './shift-time.js'
import { type FlowGridOptions, flowTimes } from './flow-path.js'

/** How the times of a flow are spread: evenly (`linspace`), or as sigmas are. */
export type FlowSpacing = 'linspace' | SigmaSpacing

/** The names of `FlowSpacing`. */
export const FLOW_SPACINGS: readonly FlowSpacing[] = ['linspace', 'karras', 'exponential', 'beta']

/** Least time above 0 of the three spacings, before any shift: that of the first of a thousand timesteps. */
const SMALLEST = 1e-3

/**
 * Times of a flow from noise to data, for `flowPath({ times })`. Unlike `flowTimes`, both ends stay where they are.
 *
 *   linspace                     evenly apart, then shifted
 *   karras, exponential, beta    the times themselves spread as sigmas, as diffusers does; to t = 0 the last step leads from
 *                                shiftTime(0.001, shift)
 *
 * @returns `[numSteps + 1]`, falling from `from` to `to`
 * @throws RangeError for an unknown spacing, ends that do not fall or leave no room above the thousandth, and whatever `flowTimes` throws
 *
 * @example
 * flowPath({ times: spacedFlowTimes({ numSteps: 20, spacing: 'karras' }) })
 *
 * Esser et al. 2024, eq. 23 (shift); Karras et al. 2022, eq. 5.
 */
export function spacedFlowTimes({
  spacing = 'linspace',
  numSteps,
  from = 1,
  to = 0,
  shift = 1,
}: FlowGridOptions & { readonly spacing?: FlowSpacing }): Float64Array {
  if (!FLOW_SPACINGS.includes(spacing)) {
    throw new RangeError(`spacedFlowTimes: spacing must be one of ${FLOW_SPACINGS.join(', ')} (got ${spacing})`)
  }
  checkShift('spacedFlowTimes', shift)
  if (!(from > to)) throw new RangeError(`spacedFlowTimes: times must fall (got ${from} to ${to})`)
  const even = flowTimes({ numSteps, from, to })
  if (!isSigmaSpacing(spacing)) return shift === 1 ? even : shifted(even, shift)
  if (to > 0)
    return spreadSigmas(spacing, { sigmaMin: to, sigmaMax: from }, numSteps + 1)
      .with(0, from)
      .with(numSteps, to)
  const least = shiftTime(SMALLEST, shift)
  if (numSteps > 1 && from <= least) {
    throw new RangeError(
      `spacedFlowTimes: ${spacing} spreads times down to ${least} before it ends at 0, so that from must be above it (got ${from})`,
    )
  }
  const sigmaMin = Math.min(least, from)
  return Float64Array.of(...spreadSigmas(spacing, { sigmaMin, sigmaMax: from }, numSteps), 0).with(0, from)
}

/** Evenly apart before the shift, between the ends as they are after it. */
function shifted(even: Float64Array, shift: number): Float64Array {
  const last = even.length - 1
  // The shift by 1 / shift undoes the one by shift.
  const [first, end] = [shiftTime(even[0], 1 / shift), shiftTime(even[last], 1 / shift)]
  return even.map((t, i) => (i === 0 || i === last ? t : shiftTime(first + (end - first) * (i / last), shift)))
}
