import { type Path, pathThrough } from '../path.js'
import { flow, flowLevel, type FlowOptions } from './interpolant.js'
import { checkShift, shiftTime } from './shift-time.js'

/** Which times a solver steps through. */
export interface FlowGridOptions {
  readonly numSteps: number
  /** Where it starts, 1 (noise) by default. */
  readonly from?: number
  /** Where it ends, 0 (data) by default. Above `from`, the path runs from data to noise. */
  readonly to?: number
  /** Moves the points between the ends: see `shiftTime`. 1 (no shift) by default. */
  readonly shift?: number
}

/**
 * Evenly spaced times, shifted.
 *
 * @returns `[numSteps + 1]`, both ends among them
 * @throws RangeError unless numSteps is a positive integer, the ends are two times in [0, 1] and the shift is positive
 *
 * @example
 * flowTimes({ numSteps: 2, shift: 3 }) // 1, 0.75, 0
 */
export function flowTimes({ numSteps, from = 1, to = 0, shift = 1 }: FlowGridOptions): Float64Array {
  if (!Number.isInteger(numSteps) || numSteps < 1) {
    throw new RangeError(`flowTimes: numSteps must be a positive integer (got ${numSteps})`)
  }
  if (!(from >= 0 && from <= 1 && to >= 0 && to <= 1 && from !== to)) {
    throw new RangeError(`flowTimes: from and to must be two times in [0, 1] (got ${from} and ${to})`)
  }
  checkShift('flowTimes', shift)
  return Float64Array.from({ length: numSteps + 1 }, (_, i) => {
    const share = i / numSteps
    const even = i === numSteps ? to : from + (to - from) * share
    return shift === 1 ? even : shiftTime(even, shift)
  })
}

/**
 * The path of a flow: from noise to data, or back where `to` is above `from`.
 *
 * @param options a flow and a grid, or a flow and the times themselves
 * @throws RangeError for times that are not in [0, 1] or do not rise or fall throughout; whatever `flow` and `flowTimes` throw
 *
 * @example
 * flowPath({ networkTime: 'towardsData', numSteps: 50 }) // for a SiT
 */
export function flowPath(options: FlowOptions & (FlowGridOptions | { readonly times: ArrayLike<number> })): Path {
  const settings = flow(options)
  const times = 'times' in options ? checkedTimes(options.times) : flowTimes(options)
  const levels = Array.from(times, (t) => flowLevel(t, settings))
  return pathThrough(levels, { at: (t) => flowLevel(t, settings) })
}

function checkedTimes(times: ArrayLike<number>): Float64Array {
  const all = Float64Array.from(times)
  const direction = Math.sign(all[1] - all[0])
  const isOrdered = all.every((t, i) => t >= 0 && t <= 1 && (i === 0 || Math.sign(t - all[i - 1]) === direction))
  if (all.length < 2 || direction === 0 || !isOrdered) {
    throw new RangeError(
      `flowPath: times must be two or more in [0, 1] that rise or fall throughout (got ${all.slice(0, 8).join(', ')})`,
    )
  }
  return all
}
