import { checkBetas } from './check.js'
import { cumulativeProduct } from './diffusion-tables.js'

/**
 * Betas of the same schedule moved so that nothing of the signal is left at its end.
 *
 *   sqrt(alphaBar') = (sqrt(alphaBar) - last) first / (first - last)
 *
 * where first and last are sqrt(alphaBar) at both ends. The last beta is 1.
 *
 * @param betas `[T]`, in (0, 1], at least two
 * @throws RangeError for betas out of range, or a single one
 *
 * Lin et al. 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed", algorithm 1.
 */
export function zeroTerminalSnr(betas: ArrayLike<number>): Float64Array {
  checkBetas('zeroTerminalSnr', betas)
  if (betas.length < 2) throw new RangeError('zeroTerminalSnr: a schedule of one step has no first step to keep')
  const root = cumulativeProduct(Float64Array.from(betas, (beta) => 1 - beta)).map(Math.sqrt)
  const [first, last] = [root[0], root[root.length - 1]]
  const alphaBar = root.map((each) => (((each - last) * first) / (first - last)) ** 2)
  return alphaBar.map((share, i) => 1 - (i === 0 ? share : share / alphaBar[i - 1]))
}
