/** How far a student has come. */
export interface DistilledSteps {
  /** Steps of the path that distillation began with: a power of two times `numSteps`. */
  readonly startSteps: number
  /** Steps of the student. */
  readonly numSteps: number
}

/** Throws a RangeError unless both are positive integers and `startSteps` is `numSteps` times a power of two. Pages carry it: few words. */
export function checkDistilled({ startSteps, numSteps }: DistilledSteps): void {
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0
  if (
    isCount(startSteps) &&
    isCount(numSteps) &&
    startSteps >= numSteps &&
    Number.isInteger(Math.log2(startSteps / numSteps))
  )
    return
  throw new RangeError(
    `distilledPath: numSteps must be a positive integer, and startSteps that times a power of two (got ${numSteps} and ${startSteps})`,
  )
}
