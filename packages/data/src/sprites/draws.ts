/** Numbers in [0, 1), read in order as choices. The k-th choice of a drawing is always the k-th number. */
export interface Draws {
  /** a number of [low, high) */
  between(low: number, high: number): number
  /** an integer from low to high, both included */
  whole(low: number, high: number): number
  /** true with this probability */
  chance(probability: number): boolean
  /** one of a list */
  pick<T>(list: readonly T[]): T
  /** how many numbers were read so far */
  numRead(): number
}

/** Reads `values` from the first on; reading past the end throws. */
export function drawsOf(values: ArrayLike<number>): Draws {
  let next = 0
  const draw = (): number => {
    if (next >= values.length) throw new RangeError(`drawsOf: a drawing reads more than its ${values.length} numbers`)
    return values[next++]
  }
  return {
    between: (low, high) => low + (high - low) * draw(),
    whole: (low, high) => low + Math.floor((high - low + 1) * draw()),
    chance: (probability) => draw() < probability,
    pick: (list) => list[Math.floor(list.length * draw())],
    numRead: () => next,
  }
}
