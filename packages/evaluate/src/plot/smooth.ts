/** Steps that the smoothed line averages by default: a fiftieth of the run, an odd number. */
export function defaultWindow(count: number): number {
  return Math.max(1, 2 * Math.floor(count / 100) + 1)
}

/**
 * Mean over a window around each value:
 *
 *   smoothed[i] = mean(values[i - h .. min(i + h, length - 1)]),  h = min((window - 1) / 2, i)
 *
 * It is narrow at the start, where a loss falls fast, and wide to the end, where single values would only add noise.
 *
 * @param window odd; even ones count as the next smaller odd number
 */
export function smooth(values: readonly number[], window: number): number[] {
  const half = Math.floor((window - 1) / 2)
  const sums = new Float64Array(values.length + 1)
  values.forEach((value, i) => (sums[i + 1] = sums[i] + value))
  return values.map((_, i) => {
    const reach = Math.min(half, i)
    const [from, to] = [i - reach, Math.min(i + reach + 1, values.length)]
    return (sums[to] - sums[from]) / (to - from)
  })
}
