import type { Denoise } from '@dit/diffusion'
import type { Path, PathStep } from '@dit/schedules'
import { add, affine, exp, mul, sqrt, type Tensor } from '@dit/tensor'
import { combine } from './combine.js'
import { type NoiseSource, stepNoise } from './noise.js'
import { addedVariance, checkFalling, posteriorVariance } from './posterior-variance.js'
import { checkPathStart, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/**
 * Variance of the noise of a step: that of the posterior (`fixedSmall`), that of the noising (`fixedLarge`), or from the network:
 * `learned` is the variance itself, `learnedRange` lies between the logarithms of the two.
 */
export type PathVariance = 'fixedSmall' | 'fixedLarge' | 'learned' | 'learnedRange'

/** Options of `ancestral`. */
export type AncestralOptions = PathOptions &
  NoiseSource & {
    /** `fixedSmall` by default; the learned ones need a `denoise` that returns the variance. */
    readonly variance?: PathVariance
  }

/** The reference's clip on a variance whose logarithm is taken; diffusers has the same. */
const SMALLEST = 1e-20

/**
 * Ancestral sampling (DDPM) along a path of any levels. With added = sigma^2 - (alpha / alpha')^2 sigma'^2:
 *
 *   mean = alpha' added / sigma^2 x0 + alpha / alpha' sigma'^2 / sigma^2 xt
 *   next = mean + sqrt(variance) draw
 *
 * @returns yields every step; see `SamplerStep` for who owns what. Noise is drawn unless the network was told timestep 0
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * Ho et al. 2020, "Denoising Diffusion Probabilistic Models", algorithm 2 and eq. 7; Nichol & Dhariwal 2021, eq. 15 (learnedRange).
 */
export function ancestral(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: AncestralOptions,
): AsyncGenerator<SamplerStep, void, void> {
  const { variance = 'fixedSmall' } = options
  checkPathStart('ancestral', path, xT)
  checkFalling('ancestral', path)
  if (!['fixedSmall', 'fixedLarge', 'learned', 'learnedRange'].includes(variance)) {
    throw new RangeError(
      `ancestral: variance must be fixedSmall, fixedLarge, learned or learnedRange (got ${variance})`,
    )
  }
  const draw = stepNoise('ancestral', options, true)!
  return runPath(
    path,
    xT,
    (xt, step, index) => {
      const { from, to } = step
      const denoised = denoise(xt, from)
      const { x0 } = denoised
      const [share, kept] = [addedVariance(step) / from.sigma ** 2, (to.sigma / from.sigma) ** 2]
      const mean = combine([to.alpha * share, x0], [(from.alpha / to.alpha) * kept, xt])
      if (from.timestep === 0) return { xt: mean, x0 }
      const noise = draw(index, xt.shape, xt.backend)
      return { xt: add(mean, scaled(noise, step, variance, denoised.variance)), x0 }
    },
    options,
  )
}

/** The draw times the deviation. */
function scaled(noise: Tensor, step: PathStep, variance: PathVariance, output: Tensor | undefined): Tensor {
  const [small, large] = [Math.max(posteriorVariance(step), SMALLEST), addedVariance(step)]
  if (variance === 'fixedSmall') return affine(noise, Math.sqrt(small))
  if (variance === 'fixedLarge') return affine(noise, Math.sqrt(large))
  if (output === undefined) {
    throw new RangeError(`ancestral: variance ${variance} needs a denoiser with outputsPerChannel 2`)
  }
  if (variance === 'learned') return mul(noise, sqrt(output))
  // log variance = f log(large) + (1 - f) log(small), f = (output + 1) / 2
  const [low, high] = [Math.log(small), Math.log(large)]
  return mul(noise, exp(affine(output, (high - low) / 4, (high + low) / 4)))
}
