import type { DiffusionTables } from './diffusion-tables.js'

/**
 * Signal-to-noise ratio of each timestep.
 *
 *   snr = alphaBar / (1 - alphaBar)
 *
 * @returns `[T]`, float64, falling; 0 where alphaBar is 0
 *
 * Kingma et al. 2021, "Variational Diffusion Models", eq. 2.
 */
export function snr(tables: Pick<DiffusionTables, 'alphaBar'>): Float64Array {
  return tables.alphaBar.map((a) => a / (1 - a))
}

/**
 * Natural logarithm of the signal-to-noise ratio of each timestep.
 *
 *   logSnr = log(alphaBar) - log(1 - alphaBar)
 *
 * @returns `[T]`, float64, falling; -Infinity where alphaBar is 0
 *
 * Kingma et al. 2021, "Variational Diffusion Models", eq. 3, whose gamma is its negative.
 */
export function logSnr(tables: Pick<DiffusionTables, 'alphaBar'>): Float64Array {
  return tables.alphaBar.map((a) => Math.log(a) - Math.log(1 - a))
}
