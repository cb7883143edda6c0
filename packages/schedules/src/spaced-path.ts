import { betaSigmas } from './beta-sigmas.js'
import { preservingLevel } from './level-kinds.js'
import type { NoiseLevel } from './noise-level.js'
import { type Path, pathThrough } from './path.js'
import { exponentialSigmas, karrasSigmas, type SigmaRange } from './sigma-spacing.js'
import { sigmaAt, sigmaTable, timestepAt } from './sigma-table.js'
import { ddimTimesteps, dpmTimesteps, type TimestepSpacing } from './timestep-spacing.js'

/** How levels are spread over the range of sigma rather than over the timesteps. */
export type SigmaSpacing = 'karras' | 'exponential' | 'beta'

/** How the levels of a solver lie in a process. */
export type Spacing = TimestepSpacing | SigmaSpacing

/** The names of `Spacing`. */
export const SPACINGS: readonly Spacing[] = ['leading', 'linspace', 'trailing', 'karras', 'exponential', 'beta']

/** Whether a spacing spreads sigmas, so that its levels lie between timesteps. */
export function isSigmaSpacing(spacing: Spacing): spacing is SigmaSpacing {
  return spacing === 'karras' || spacing === 'exponential' || spacing === 'beta'
}

/** Sigmas spread over a range, `[numSteps]`, noisiest first. */
export function spreadSigmas(spacing: SigmaSpacing, range: SigmaRange, numSteps: number): Float64Array {
  if (spacing === 'karras') return karrasSigmas(range, numSteps)
  return spacing === 'exponential' ? exponentialSigmas(range, numSteps) : betaSigmas(range, numSteps)
}

/** Options of `spacedPath`. */
export interface SpacedPathOptions {
  readonly numSteps: number
  readonly spacing: Spacing
  /**
   * Whose timesteps: `ddim` (default), or `dpm`, where the step to no noise counts as one more. See `ddimTimesteps` and
   * `dpmTimesteps`; sigmas do not depend on it.
   */
  readonly rule?: 'ddim' | 'dpm'
  /** `[T]`: what the network is told at timestep i (default i). */
  readonly timestepMap?: ArrayLike<number>
}

/**
 * The path of a Gaussian process through levels of a chosen spacing, and then to no noise.
 *
 *   leading, linspace, trailing    levels of the timesteps that `ddimTimesteps` or `dpmTimesteps` names
 *   karras, exponential, beta      sigma / alpha spread over the range of the whole process; the timestep of each lies between two,
 *                                  linearly in log sigma
 *
 * @param alphaBar `[T]`, such as `diffusionTables(betas).alphaBar`
 * @returns a path of `numSteps` steps
 * @throws RangeError for an unknown spacing, more steps than timesteps, a timestep that would be taken twice, or sigmas of a
 *   process that ends without signal
 *
 * @example
 * spacedPath(gaussianDiffusion().tables.alphaBar, { numSteps: 20, spacing: 'karras' })
 *
 * Karras et al. 2022, eq. 5; Lin et al. 2024, table 2.
 */
export function spacedPath(alphaBar: Float64Array, options: SpacedPathOptions): Path {
  const { numSteps, spacing, rule = 'ddim', timestepMap } = options
  if (!SPACINGS.includes(spacing)) {
    throw new RangeError(`spacedPath: spacing must be one of ${SPACINGS.join(', ')} (got ${spacing})`)
  }
  const map = timestepMap === undefined ? null : Float64Array.from(timestepMap)
  const told = (timestep: number) => (map === null ? timestep : sigmaAt(map, timestep))
  const levels = isSigmaSpacing(spacing)
    ? sigmaLevels(alphaBar, spacing, numSteps, told)
    : timestepLevels(alphaBar, { numSteps, spacing, rule }, told)
  return pathThrough([...levels, { alpha: 1, sigma: 0, timestep: 0 }])
}

function sigmaLevels(
  alphaBar: Float64Array,
  spacing: SigmaSpacing,
  numSteps: number,
  told: (timestep: number) => number,
): NoiseLevel[] {
  const numTimesteps = alphaBar.length
  if (alphaBar[numTimesteps - 1] === 0) {
    throw new RangeError(
      `spacedPath: ${spacing} spreads sigmas, but this process ends without signal, where sigma is infinite; take leading, linspace or trailing`,
    )
  }
  if (numTimesteps < 2) {
    throw new RangeError(`spacedPath: ${spacing} needs a process of two timesteps or more (got ${numTimesteps})`)
  }
  const table = sigmaTable(alphaBar)
  const logs = table.map(Math.log)
  const range = { sigmaMin: table[0], sigmaMax: table[numTimesteps - 1] }
  return Array.from(spreadSigmas(spacing, range, numSteps), (sigma) =>
    preservingLevel(sigma, told(timestepAt(logs, sigma))),
  )
}

function timestepLevels(
  alphaBar: Float64Array,
  { numSteps, spacing, rule }: { numSteps: number; spacing: TimestepSpacing; rule: 'ddim' | 'dpm' },
  told: (timestep: number) => number,
): NoiseLevel[] {
  const numTimesteps = alphaBar.length
  const timesteps = (rule === 'dpm' ? dpmTimesteps : ddimTimesteps)({ numTimesteps, numSteps, spacing })
  if (timesteps.some((timestep, i) => i > 0 && timestep === timesteps[i - 1])) {
    throw new RangeError(
      `spacedPath: numSteps must be below ${numTimesteps} with ${spacing}, which counts the step to no noise as one more; trailing takes ${numTimesteps} (got ${numSteps})`,
    )
  }
  return Array.from(timesteps, (timestep) => {
    const share = alphaBar[timestep]
    return { alpha: Math.sqrt(share), sigma: Math.sqrt(1 - share), timestep: told(timestep) }
  })
}
