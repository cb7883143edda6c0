/**
 * Throws for weights that are not finite: a single one makes every picture NaN.
 *
 * @throws RangeError naming the first
 */
export function requireFinite(who: string, name: string, values: ArrayLike<number>): void {
  const at = firstNonFinite(values)
  if (at < 0) return
  throw new RangeError(
    `${who}: the weights must be finite, but value ${at} of ${name} is ${values[at]}: the training diverged, or the file is damaged`,
  )
}

/** Index of the first value that is NaN or infinite; -1 where none is. */
export function firstNonFinite(values: ArrayLike<number>): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  return -1
}
