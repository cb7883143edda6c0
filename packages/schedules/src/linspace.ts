/** `count` float64 values from `start` to `stop`, both included and equally far apart; `[start]` for a count of 1. */
export function linspace(start: number, stop: number, count: number): Float64Array {
  const step = (stop - start) / (count - 1)
  const values = Float64Array.from({ length: count }, (_, i) => i * step + start)
  if (count === 1) values[0] = start
  else if (count > 1) values[count - 1] = stop
  return values
}
