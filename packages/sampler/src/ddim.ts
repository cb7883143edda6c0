import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine } from './combine.js'
import { type NoiseSource, stepNoise } from './noise.js'
import { checkFalling, posteriorVariance } from './posterior-variance.js'
import { checkPathStart, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/** Options of `ddim`. */
export type DdimOptions = PathOptions &
  Partial<NoiseSource> & {
    /** Share of fresh noise, in [0, 1]: 0 (default) is deterministic, 1 is ancestral sampling. */
    readonly eta?: number
  }

/**
 * DDIM along a path: each step splits xt into x0 and noise, and mixes them anew for the next level.
 *
 *   s    = eta sigma' / sigma sqrt(sigma^2 - (alpha / alpha')^2 sigma'^2)
 *   next = alpha' x0 + sqrt(sigma'^2 - s^2) noise + s draw
 *
 * s / eta is the deviation of x' given xt and x0, for any alpha and sigma; where alpha^2 + sigma^2 = 1 it is the paper's. On a
 * straight path with eta 0 this is Euler's step; where alpha is 1 and eta 1 it is Euler's ancestral method. From data to noise, with
 * eta 0, it runs over `reversedPath(path)`: the round trip is exact in the limit of many steps.
 *
 * What the noise is where x0 was clipped, `denoiser` says: `noiseFrom: 'clippedX0'` (default) is the reference's DDIM, `'prediction'`
 * is diffusers'.
 *
 * @param path    from a process, such as `gaussianProcess({ respacing: 'ddim50' }).path()`
 * @param denoise from `denoiser(predict, ...)` of @dit/diffusion, or the process's own
 * @param xT      samples at the first level of the path, `[B, C, H, W]`; not disposed of
 * @param options a seed or a noise function is needed unless eta is 0
 * @returns yields every step; see `SamplerStep` for who owns what. Noise is drawn in every step, the last included
 * @throws RangeError or TypeError at once for wrong options, and for eta above 0 where a step leads to more noise; the signal's reason
 *   when stopped
 *
 * @example
 * const process = gaussianProcess({ respacing: 'ddim50' })
 * const x0 = await lastStep(ddim(process.path(), process.denoiser(predict), xT))
 *
 * Song, Meng and Ermon 2021, "Denoising Diffusion Implicit Models", eq. 12 and 16, section 4.3 (data to noise); k-diffusion's
 * `sample_euler_ancestral`.
 */
export function ddim(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: DdimOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { eta = 0 } = options
  checkPathStart('ddim', path, xT)
  if (!(eta >= 0 && eta <= 1)) throw new RangeError(`ddim: eta must be in [0, 1] (got ${eta})`)
  if (eta > 0) checkFalling('ddim', path)
  const draw = stepNoise('ddim', options, eta > 0)
  return runPath(
    path,
    xT,
    (xt, step, index) => {
      const { x0, noise } = denoise(xt, step.from)
      const fresh = draw?.(index, xt.shape, xt.backend) ?? null
      const s = eta === 0 ? 0 : eta * Math.sqrt(posteriorVariance(step))
      const kept = s === 0 ? step.to.sigma : Math.sqrt(Math.max(0, step.to.sigma ** 2 - s ** 2))
      const next = combine([step.to.alpha, x0], [kept, noise])
      return { xt: fresh === null ? next : combine([1, next], [s, fresh]), x0 }
    },
    options,
  )
}
