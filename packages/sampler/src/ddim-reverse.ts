import { type GaussianDiffusion, type NoisyBatch, perSample, type Predict } from '@dit/diffusion'
import { add, mul, scope, type Tensor } from '@dit/tensor'
import { estimate } from './ddim.js'
import { runSteps, type SamplerStep } from './run-steps.js'
import { checkStart, type SamplerOptions, type StepOptions, type StepResult } from './step-options.js'

/**
 * DDIM run backwards, from x0 to the noise that `ddim` with eta = 0 would have made it from: steps 0, 1, ... up to the
 * last timestep. The round trip is exact in the limit of many steps.
 *
 * @param predict  any model; it is told original timesteps
 * @param x0       clean samples, `[B, C, H, W]`; not disposed of
 * @param options  `clipDenoised` is on by default, which suits pixels: turn it off for latents
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * Song, Meng and Ermon 2021, "Denoising Diffusion Implicit Models", section 4.3.
 */
export function ddimReverse(
  diffusion: GaussianDiffusion,
  predict: Predict,
  x0: Tensor,
  options: SamplerOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  checkStart('ddimReverse', 'x0', x0)
  return runSteps(
    diffusion,
    x0,
    'up',
    (xt, timesteps) => ddimReverseStep(diffusion, predict, { xt, timesteps }, options),
    options.signal,
  )
}

/**
 * One reverse DDIM step, xt to x[t+1]; after the last timestep comes pure noise (alphaBar 0).
 *
 *   x[t+1] = sqrt(alphaBarNext) x0 + sqrt(1 - alphaBarNext) noise
 *
 * x0 and noise as in `ddimStep`, at the timestep of xt.
 *
 * @param batch  xt `[B, C, H, W]`, timesteps `[B]` in 0 .. numTimesteps - 1
 * @returns the caller disposes of both tensors
 * @throws RangeError when a shape does not fit or a timestep is out of range
 */
export function ddimReverseStep(
  diffusion: GaussianDiffusion,
  predict: Predict,
  { xt, timesteps }: NoisyBatch,
  options: StepOptions = {},
): StepResult {
  const { alphaBarNext } = diffusion.tables
  return scope(() => {
    const { x0, direction } = estimate(diffusion, predict, { xt, timesteps }, options)
    const signal = perSample(alphaBarNext.map(Math.sqrt), timesteps, xt)
    const spread = perSample(
      alphaBarNext.map((next) => Math.sqrt(1 - next)),
      timesteps,
      xt,
    )
    return { xt: add(mul(signal, x0), mul(spread, direction)), x0 }
  })
}
