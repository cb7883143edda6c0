/**
 * Deviation of the noise over the factor of the signal, for each timestep.
 *
 *   sigma = sqrt((1 - alphaBar) / alphaBar)
 *
 * @returns `[T]`, rising; Infinity where alphaBar is 0
 */
export function sigmaTable(alphaBar: Float64Array): Float64Array {
  return alphaBar.map((share) => Math.sqrt((1 - share) / share))
}

/** The sigma at a timestep that may lie between two of the table, on the straight line between them. */
export function sigmaAt(table: Float64Array, timestep: number): number {
  const last = table.length - 1
  const place = Math.min(Math.max(timestep, 0), last)
  const below = Math.min(Math.floor(place), last)
  return below === place ? table[below] : table[below] + (place - below) * (table[below + 1] - table[below])
}

/**
 * The timestep at which a table reaches a sigma, on the straight line in log sigma between the two that enclose it.
 *
 * @param logSigmas `[T]`, T > 1: logarithms of a rising table
 */
export function timestepAt(logSigmas: Float64Array, sigma: number): number {
  const wanted = Math.log(Math.max(sigma, 1e-10))
  const last = logSigmas.length - 2
  const found = logSigmas.findLastIndex((each) => each <= wanted)
  const below = Math.min(Math.max(found, 0), last)
  const share = (logSigmas[below] - wanted) / (logSigmas[below] - logSigmas[below + 1])
  const inside = Math.min(Math.max(share, 0), 1)
  return (1 - inside) * below + inside * (below + 1)
}

/**
 * The sigmas of a schedule as a float32 program has them.
 *
 * Some schedulers of diffusers cut timesteps to whole numbers: there a last bit of float32 decides between 998 and 999.
 *
 * @param betas `[T]`
 * @returns `[T]`, values of float32
 */
export function sigmaTableOfFloat32(betas: ArrayLike<number>): Float64Array {
  const { fround } = Math
  let product = 1
  return Float64Array.from(betas, (beta) => {
    // A running product of float32 factors that is itself held in float64, as torch has it on the CPU.
    product *= fround(1 - fround(beta))
    const alphaBar = fround(product)
    return fround(Math.sqrt(fround(fround(1 - alphaBar) / alphaBar)))
  })
}
