/** Side of a square image or latent, or its height and width. */
export type InputSize = number | readonly [height: number, width: number]

/** Patches of an image: how many stand below each other, and beside each other. Their product is the token count N. */
export type Grid = readonly [rows: number, columns: number]

/**
 * Rows and columns of patches in an image.
 *
 *   rows = height / P        columns = width / P
 *
 * @param inputSize side of a square, or `[height, width]`
 * @param patchSize P
 * @throws RangeError when an extent is not a multiple of `patchSize`
 *
 * @example
 * tokenGrid(32, 2) // [16, 16], 256 tokens
 */
export function tokenGrid(inputSize: InputSize, patchSize: number): Grid {
  const [height, width] = heightAndWidth(inputSize)
  return patchGrid('tokenGrid', height, width, patchSize, `inputSize is [${height}, ${width}]`)
}

/** `[height, width]` of either way to write a size. */
export function heightAndWidth(inputSize: InputSize): readonly [height: number, width: number] {
  return typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
}

/** `tokenGrid` with the caller's name and a description of what came, for errors. */
export function patchGrid(caller: string, height: number, width: number, patchSize: number, came: string): Grid {
  checkPositive(caller, 'patchSize', patchSize)
  for (const [name, extent] of [
    ['height', height],
    ['width', width],
  ] as const) {
    checkPositive(caller, name, extent)
    if (extent % patchSize !== 0) {
      throw new RangeError(`${caller}: ${name} ${extent} is not a multiple of patchSize ${patchSize} (${came})`)
    }
  }
  return [height / patchSize, width / patchSize]
}

/** Throws RangeError unless both extents of the grid are positive integers. */
export function checkGrid(caller: string, name: string, [rows, columns]: Grid): void {
  checkPositive(caller, `rows of ${name}`, rows)
  checkPositive(caller, `columns of ${name}`, columns)
}

/** Throws RangeError unless `value` is a positive integer. */
export function checkPositive(caller: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${caller}: ${name} must be a positive integer (got ${value})`)
  }
}
