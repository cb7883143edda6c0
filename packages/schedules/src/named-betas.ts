import { betasFromAlphaBar } from './betas-from-alpha-bar.js'
import { checkBetas, checkNumTimesteps } from './check.js'
import { linspace } from './linspace.js'

/** The schedules that need no other number than the count of steps. */
export type NamedSchedule = 'linear' | 'squaredcos_cap_v2'

/**
 * Noise variances of a schedule that is fixed by its name and the number of steps.
 *
 *   linear              beta[i] from 1e-4 s to 0.02 s in equal steps, s = 1000 / numTimesteps
 *   squaredcos_cap_v2   alphaBar(t) = cos^2(pi / 2 (t + 0.008) / 1.008), betas capped at 0.999
 *
 * The factor s keeps the total noise of `linear` about the same for every number of steps. Below 20 steps its last beta
 * would pass 1, which is an error.
 *
 * @param name          `linear` (the default of DiT) or `squaredcos_cap_v2`
 * @param numTimesteps  how many steps, T
 * @returns `[T]`, float64, in (0, 1]
 * @throws RangeError for an unknown name, a count that is no positive integer, or `linear` below 20 steps
 *
 * Ho et al. 2020, "Denoising Diffusion Probabilistic Models", section 4 (linear, T = 1000); Nichol and Dhariwal 2021,
 * "Improved Denoising Diffusion Probabilistic Models", eq. 17 (cosine, with their offset and cap) and their code's
 * rule for other T.
 */
export function namedBetas(name: NamedSchedule, numTimesteps: number): Float64Array {
  checkNumTimesteps('namedBetas', numTimesteps)
  switch (name) {
    case 'linear': {
      const scale = 1000 / numTimesteps
      const betas = linspace(scale * 0.0001, scale * 0.02, numTimesteps)
      checkBetas('namedBetas', betas, '; linear needs at least 20 steps')
      return betas
    }
    case 'squaredcos_cap_v2':
      return betasFromAlphaBar((t) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2, numTimesteps)
    default:
      throw new RangeError(`namedBetas: the schedule must be linear or squaredcos_cap_v2 (got ${String(name)})`)
  }
}
