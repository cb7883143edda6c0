import { checkBetas, checkNumTimesteps } from './check.js'
import { linspace } from './linspace.js'

/** The schedules that are drawn between two given noise variances. */
export type DirectSchedule = 'quad' | 'scaled_linear' | 'linear' | 'const' | 'jsd' | 'warmup10' | 'warmup50' | 'sigmoid'

/** What a direct schedule is drawn between. */
export interface DirectBetasOptions {
  /** How many steps, T. */
  readonly numTimesteps: number
  /** First variance, in (0, 1]. Not used by `const` and `jsd`. */
  readonly betaStart: number
  /** Last variance, in (0, 1]. Not used by `jsd`. */
  readonly betaEnd: number
}

/**
 * Noise variances of a schedule between two given ends; nothing is scaled with the number of steps.
 *
 *   linear          equal steps from betaStart to betaEnd
 *   quad            equal steps from sqrt(betaStart) to sqrt(betaEnd), then squared
 *   scaled_linear   the same formula as `quad`, under the name that Stable Diffusion's configurations use, there with
 *                   betaStart = 0.00085 and betaEnd = 0.012
 *   sigmoid         betaStart + (betaEnd - betaStart) / (1 + exp(-u)), u in equal steps from -6 to 6; so the ends are
 *                   reached to 0.25 % of their distance only
 *   const           betaEnd throughout
 *   jsd             1 / T, 1 / (T - 1), ..., 1: each step destroys the same share of the signal
 *   warmup10        equal steps from betaStart to betaEnd over the first floor(0.1 T) steps, then betaEnd
 *   warmup50        the same over the first floor(0.5 T) steps
 *
 * @param name     one of the names above
 * @param options  number of steps and both ends
 * @returns `[T]`, float64, in (0, 1]
 * @throws RangeError for an unknown name, a count that is no positive integer, or betas outside (0, 1]
 *
 * Ho et al. 2020, "Denoising Diffusion Probabilistic Models", whose code names all but two; Rombach et al. 2022, "High-
 * Resolution Image Synthesis with Latent Diffusion Models" (scaled_linear); Xu et al. 2022, "GeoDiff", code (sigmoid).
 * The sigmoid of Jabri et al. 2022 shapes alphaBar instead of beta: give it to `betasFromAlphaBar`.
 */
export function directBetas(name: DirectSchedule, options: DirectBetasOptions): Float64Array {
  const { numTimesteps, betaStart, betaEnd } = options
  checkNumTimesteps('directBetas', numTimesteps)
  const betas = makeBetas(name, numTimesteps, betaStart, betaEnd)
  checkBetas('directBetas', betas)
  return betas
}

function makeBetas(name: DirectSchedule, numTimesteps: number, betaStart: number, betaEnd: number): Float64Array {
  switch (name) {
    case 'linear':
      return linspace(betaStart, betaEnd, numTimesteps)
    case 'quad':
    case 'scaled_linear':
      return linspace(Math.sqrt(betaStart), Math.sqrt(betaEnd), numTimesteps).map((root) => root * root)
    case 'sigmoid':
      return linspace(-6, 6, numTimesteps).map((u) => betaStart + (betaEnd - betaStart) / (1 + Math.exp(-u)))
    case 'const':
      return new Float64Array(numTimesteps).fill(betaEnd)
    case 'jsd':
      return Float64Array.from({ length: numTimesteps }, (_, i) => 1 / (numTimesteps - i))
    case 'warmup10':
      return warmup(numTimesteps, betaStart, betaEnd, 0.1)
    case 'warmup50':
      return warmup(numTimesteps, betaStart, betaEnd, 0.5)
    default:
      throw new RangeError(
        'directBetas: the schedule must be quad, scaled_linear, linear, const, jsd, warmup10, warmup50 or sigmoid ' +
          `(got ${String(name)})`,
      )
  }
}

function warmup(numTimesteps: number, betaStart: number, betaEnd: number, share: number): Float64Array {
  const betas = new Float64Array(numTimesteps).fill(betaEnd)
  betas.set(linspace(betaStart, betaEnd, Math.floor(numTimesteps * share)))
  return betas
}
