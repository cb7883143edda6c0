import {
  type GaussianDiffusion,
  modelX0,
  noiseFromX0,
  type NoisyBatch,
  originalTimesteps,
  perSample,
  type Predict,
  x0FromNoise,
} from '@dit/diffusion'
import { add, mul, scope, sub, type Tensor } from '@dit/tensor'
import { type NoiseSource, stepNoise } from './noise.js'
import { runSteps, type SamplerStep } from './run-steps.js'
import { checkNoise, checkStart, type SamplerOptions, type StepOptions, type StepResult } from './step-options.js'

export interface DdimStepOptions extends StepOptions {
  /** Share of the noise of ancestral sampling, in [0, 1]: 0 (default) is deterministic, 1 as noisy as DDPM. */
  readonly eta?: number
}

export interface DdimOptions extends SamplerOptions, DdimStepOptions {}

/**
 * DDIM sampling from noise to x0, one step for each timestep of the process: meant for a respaced one, such as
 * `gaussianDiffusion({ respacing: 'ddim50' })`.
 *
 * @param predict  any model; it is told original timesteps. A learned variance plays no part.
 * @param xT       pure noise, `[B, C, H, W]`; not disposed of
 * @param options  a seed or a noise function is needed unless eta is 0; `clipDenoised` is on by default, which suits
 *   pixels: turn it off for latents
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * @example
 * const x0 = await lastStep(ddim(gaussianDiffusion({ respacing: 'ddim50' }), predict, xT))
 *
 * Song, Meng and Ermon 2021, "Denoising Diffusion Implicit Models", eq. 12.
 */
export function ddim(
  diffusion: GaussianDiffusion,
  predict: Predict,
  xT: Tensor,
  options: DdimOptions & Partial<NoiseSource> = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { eta = 0, signal } = options
  checkStart('ddim', 'xT', xT)
  checkEta('ddim', eta)
  const draw = stepNoise('ddim', options, eta > 0)
  return runSteps(
    diffusion,
    xT,
    'down',
    (xt, timesteps, index) =>
      ddimStep(diffusion, predict, { xt, timesteps, noise: draw?.(index, xt.shape, xt.backend) }, options),
    signal,
  )
}

/**
 * One DDIM step, xt to x[t-1].
 *
 *   noise  = (sqrt(1 / alphaBar) xt - x0) / sqrt(1 / alphaBar - 1)         from the (possibly clipped) estimate x0
 *   sigma  = eta sqrt((1 - alphaBarPrev) / (1 - alphaBar)) sqrt(1 - alphaBar / alphaBarPrev)
 *   x[t-1] = sqrt(alphaBarPrev) x0 + sqrt(1 - alphaBarPrev - sigma^2) noise + sigma draw
 *
 * A condition corrects the noise by -sqrt(1 - alphaBar) * conditionGradient(xt, t), and x0 with it, after any clipping.
 *
 * @param batch  xt `[B, C, H, W]`, timesteps `[B]` in 0 .. numTimesteps - 1, the draw `noise` shaped like xt; it may be
 *   left out where eta is 0
 * @returns the caller disposes of both tensors
 * @throws RangeError when eta is out of range, a shape does not fit or a timestep is out of range
 * @throws TypeError when eta is above 0 and there is no noise
 *
 * Song, Meng and Ermon 2021, eq. 12 and 16; Dhariwal and Nichol 2021, algorithm 2 (condition).
 */
export function ddimStep(
  diffusion: GaussianDiffusion,
  predict: Predict,
  { xt, timesteps, noise }: NoisyBatch & { readonly noise?: Tensor },
  options: DdimStepOptions = {},
): StepResult {
  const { eta = 0 } = options
  checkEta('ddimStep', eta)
  if (noise !== undefined) checkNoise('ddimStep', noise, xt)
  else if (eta > 0) throw new TypeError(`ddimStep: noise is needed where eta is above 0 (eta is ${eta})`)
  const { alphaBar, alphaBarPrev } = diffusion.tables
  const sigma = alphaBar.map(
    (now, i) => eta * Math.sqrt((1 - alphaBarPrev[i]) / (1 - now)) * Math.sqrt(1 - now / alphaBarPrev[i]),
  )
  return scope(() => {
    const { x0, direction } = estimate(diffusion, predict, { xt, timesteps }, options)
    const kept = mul(perSample(alphaBarPrev.map(Math.sqrt), timesteps, xt), x0)
    // Rounding may take the difference below 0 for eta = 1.
    const remaining = alphaBarPrev.map((previous, i) => Math.sqrt(Math.max(0, 1 - previous - sigma[i] ** 2)))
    const next = add(kept, mul(perSample(remaining, timesteps, xt), direction))
    if (noise === undefined || eta === 0) return { xt: next, x0 }
    return { xt: add(next, mul(perSample(sigma, timesteps, xt), noise)), x0 }
  })
}

/** The estimate of x0, and the noise that leads from it to xt, both after the condition. */
export function estimate(
  diffusion: GaussianDiffusion,
  predict: Predict,
  { xt, timesteps }: NoisyBatch,
  options: StepOptions,
): { readonly x0: Tensor; readonly direction: Tensor } {
  const original = originalTimesteps(diffusion, timesteps)
  const { conditionGradient } = options
  return scope(() => {
    const x0 = modelX0(diffusion, predict(xt, original), { xt, timesteps }, options)
    const direction = noiseFromX0(diffusion, { xt, timesteps, x0 })
    if (conditionGradient === undefined) return { x0, direction }
    const { sqrtOneMinusAlphaBar } = diffusion.tables
    const correction = mul(perSample(sqrtOneMinusAlphaBar, timesteps, xt), conditionGradient(xt, original))
    const corrected = sub(direction, correction)
    return { x0: x0FromNoise(diffusion, { xt, timesteps, noise: corrected }), direction: corrected }
  })
}

function checkEta(caller: string, eta: number): void {
  if (!(eta >= 0 && eta <= 1)) throw new RangeError(`${caller}: eta must be in [0, 1] (got ${eta})`)
}
