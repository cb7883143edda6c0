import { checkBetas } from './check.js'
import { cumulativeProduct, type DiffusionTables, diffusionTables } from './diffusion-tables.js'

/** A diffusion over some of the timesteps of another one. */
export interface RespacedDiffusion {
  /** Tables over the kept steps; `tables.betas` are the new variances. */
  readonly tables: DiffusionTables
  /** `[kept]`: the original timestep of step i, which is what the model must be told. */
  readonly timestepMap: Int32Array
}

/**
 * A shorter diffusion that passes through the same noise levels as the kept timesteps of a longer one.
 *
 *   beta[i] = 1 - alphaBar[kept[i]] / alphaBar[kept[i - 1]]        with alphaBar[kept[-1]] = 1
 *
 * All tables are rebuilt from the new betas, also when every timestep is kept: they then differ from the original in
 * the last digits, as they do in the reference implementation.
 *
 * @param betas          `[T]` variances of the original, in (0, 1]
 * @param keptTimesteps  timesteps in 0 .. T - 1, rising, at least one; from `spaceTimesteps` or your own
 * @throws RangeError when `betas` or `keptTimesteps` are not as above
 *
 * @example
 * const { tables, timestepMap } = respace(namedBetas('linear', 1000), spaceTimesteps(1000, '250'))
 *
 * Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", eq. 19.
 */
export function respace(betas: ArrayLike<number>, keptTimesteps: ArrayLike<number>): RespacedDiffusion {
  checkBetas('respace', betas)
  checkKept(keptTimesteps, betas.length)
  const timestepMap = Int32Array.from(keptTimesteps)
  const alphaBar = cumulativeProduct(Float64Array.from(betas, (beta) => 1 - beta))
  let previous = 1
  const newBetas = Float64Array.from(timestepMap, (timestep) => {
    const beta = 1 - alphaBar[timestep] / previous
    previous = alphaBar[timestep]
    return beta
  })
  return { tables: diffusionTables(newBetas), timestepMap }
}

function checkKept(kept: ArrayLike<number>, numTimesteps: number): void {
  if (kept.length === 0) throw new RangeError('respace: at least one timestep must be kept (got none)')
  for (let i = 0; i < kept.length; i++) {
    if (!Number.isInteger(kept[i]) || kept[i] < 0 || kept[i] >= numTimesteps) {
      throw new RangeError(`respace: kept timesteps must be integers in 0 .. ${numTimesteps - 1} (got ${kept[i]})`)
    }
    if (i > 0 && kept[i] <= kept[i - 1]) {
      throw new RangeError(`respace: kept timesteps must rise (got ${kept[i]} after ${kept[i - 1]})`)
    }
  }
}
