import type { Predict } from '@dit/diffusion'
import type { DdimSteps } from '@dit/schedules'
import { add, affine, clamp, type Tensor } from '@dit/tensor'
import { type NoiseSource, stepNoise } from './noise.js'
import { checkPredictionType, type PredictionType, readPrediction } from './predicted-x0.js'
import { runSteps, type SamplerStep } from './run-steps.js'
import { checkStart } from './step-options.js'

export interface DdimOverStepsOptions {
  /** What the model returns; `epsilon` by default. Variance channels play no part. */
  readonly predictionType?: PredictionType
  /** Share of the noise of ancestral sampling, in [0, 1]: 0 (default) is deterministic. */
  readonly eta?: number
  /** The estimate of x0 is clamped to -clipRange .. clipRange; not at all by default, which suits latents. */
  readonly clipRange?: number
  /** Stops the loop between two steps: it frees what it holds and throws the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * DDIM over steps of any choice, as diffusers' pipelines run it. Unlike `ddim`, where the noise follows from the clipped
 * estimate of x0, a clipped estimate goes together with the noise that the model predicted.
 *
 *   sigma  = eta sqrt((1 - alphaBarPrev) / (1 - alphaBar)) sqrt(1 - alphaBar / alphaBarPrev)
 *   next   = sqrt(alphaBarPrev) x0 + sqrt(1 - alphaBarPrev - sigma^2) noise + sigma draw
 *
 * @param steps    from `ddimSteps` of @dit/schedules
 * @param predict  any model; it is told `steps.timesteps`
 * @param xT       pure noise, `[B, C, H, W]`; not disposed of
 * @param options  a seed or a noise function is needed unless eta is 0
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12 and 16.
 */
export function ddimOverSteps(
  { timesteps, alphaBar, alphaBarPrev }: DdimSteps,
  predict: Predict,
  xT: Tensor,
  options: DdimOverStepsOptions & Partial<NoiseSource> = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { predictionType = 'epsilon', eta = 0, clipRange = Infinity, signal } = options
  checkStart('ddimOverSteps', 'xT', xT)
  checkPredictionType('ddimOverSteps', predictionType)
  if (!(eta >= 0 && eta <= 1)) throw new RangeError(`ddimOverSteps: eta must be in [0, 1] (got ${eta})`)
  if (!(clipRange > 0)) throw new RangeError(`ddimOverSteps: clipRange must be positive (got ${clipRange})`)
  const draw = stepNoise('ddimOverSteps', options, eta > 0)
  return runSteps(
    { numTimesteps: timesteps.length, timestepMap: timesteps.toReversed() },
    xT,
    'down',
    (xt, _, index) => {
      const [now, then] = [alphaBar[index], alphaBarPrev[index]]
      const told = new Int32Array(xt.shape[0]).fill(timesteps[index])
      const factors = { alpha: Math.sqrt(now), sigma: Math.sqrt(1 - now) }
      const { x0: estimate, noise } = readPrediction('ddimOverSteps', predict(xt, told), xt, predictionType, factors)
      const x0 = clipRange < Infinity ? clamp(estimate, -clipRange, clipRange) : estimate
      const sigma = eta * Math.sqrt(((1 - then) / (1 - now)) * (1 - now / then))
      // Rounding may take the difference below 0 for eta = 1.
      const remaining = Math.sqrt(Math.max(0, 1 - then - sigma ** 2))
      const next = add(affine(x0, Math.sqrt(then)), affine(noise, remaining))
      const drawn = draw?.(index, xt.shape, xt.backend)
      return { xt: drawn === undefined || eta === 0 ? next : add(next, affine(drawn, sigma)), x0 }
    },
    signal,
  )
}
