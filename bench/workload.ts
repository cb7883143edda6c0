/** One case on one engine, ready to be repeated. */
export interface Workload {
  /** Parameters, gradients, optimizer state: what any implementation of the case must hold. */
  readonly stateBytes: number
  /**
   * Runs the case as it is timed, and gives figures that every engine must agree on; null where an engine has draws of
   * its own.
   */
  verify(): Promise<readonly number[] | null>
  /** One repetition, the wait for its result included. */
  run(): Promise<void>
}

/** Largest memory that an engine has counted, or null where it does not count. */
export type CountPeakBytes = () => number | null

/** Sixteen elements spread evenly over the values: enough to tell a wrong result. */
export function spotValues(values: ArrayLike<number>): number[] {
  return Array.from({ length: 16 }, (_, i) => values[Math.floor(((i + 0.5) * values.length) / 16)])
}
