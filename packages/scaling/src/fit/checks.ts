/** A decade: what a fit should span at least before it is believed. */
export const DECADE = 10

/**
 * Checks columns of a table: equal lengths, and numbers above 0.
 *
 * @throws RangeError that names the column, the row and the number
 */
export function checkColumns(who: string, columns: Readonly<Record<string, ArrayLike<number>>>): void {
  const lengths = Object.entries(columns).map(([name, { length }]) => `${name} ${length}`)
  if (new Set(Object.values(columns).map(({ length }) => length)).size > 1)
    throw new RangeError(`${who}: columns must have equal lengths (${lengths.join(', ')})`)
  for (const [name, values] of Object.entries(columns)) {
    for (let row = 0; row < values.length; row++) {
      if (!(values[row] > 0 && Number.isFinite(values[row])))
        throw new RangeError(`${who}: ${name} must be positive and finite; row ${row} is ${values[row]}`)
    }
  }
}

/** How many different numbers there are; numbers within a relative 1e-9 count as one. */
export function numDifferent(values: ArrayLike<number>): number {
  const sorted = Array.from(values).toSorted((a, b) => a - b)
  return sorted.filter((value, i) => i === 0 || value - sorted[i - 1] > 1e-9 * value).length
}

/** Largest over smallest. */
export function spanOf(values: ArrayLike<number>): number {
  const list = Array.from(values)
  return Math.max(...list) / Math.min(...list)
}

/** `a factor of 3.2` */
export function factorText(factor: number): string {
  return `a factor of ${Number(factor.toPrecision(2))}`
}

/**
 * @throws RangeError for a level outside (0, 1)
 */
export function checkLevel(who: string, level: number): void {
  if (!(level > 0 && level < 1)) throw new RangeError(`${who}: level must lie between 0 and 1; it is ${level}`)
}
