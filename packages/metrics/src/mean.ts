/** Mean of numbers. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return sum / values.length
}

/** Standard deviation of numbers: the root of their mean squared distance from their mean, or of the sum of squares over `divisor`. */
export function deviationOf(values: ArrayLike<number>, divisor: number = values.length): number {
  const mean = meanOf(values)
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (values[i] - mean) ** 2
  return Math.sqrt(sum / divisor)
}
