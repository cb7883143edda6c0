import { spotValues } from '../workload.js'

/** Decay of the average in the optimizer case. */
export const EMA_DECAY = 0.9999

/** Elements of the parameters and of their average after one step, the latter brought to the size of the former. */
export function checkedValues(parameter: ArrayLike<number>, ema: ArrayLike<number>): number[] {
  return [...spotValues(parameter), ...spotValues(ema).map((value) => value / (1 - EMA_DECAY))]
}
