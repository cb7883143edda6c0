/**
 * Throws for weights that are not finite: a single one makes every picture NaN.
 *
 * @throws RangeError naming the first
 */
export function requireFinite(who: string, name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue
    throw new RangeError(
      `${who}: the weights must be finite, but value ${i} of ${name} is ${values[i]}: the training diverged, or the file is damaged`,
    )
  }
}
