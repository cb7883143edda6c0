import {
  type GaussianDiffusion,
  gaussianPath,
  modelMeanVariance,
  originalTimesteps,
  perSample,
  type Predict,
} from '@dit/diffusion'
import { add, affine, exp, mul, scope, type Tensor } from '@dit/tensor'
import { type NoiseSource, stepNoise } from './noise.js'
import { runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'
import {
  checkGradient,
  checkNoise,
  checkStart,
  type NoisyStep,
  type SamplerOptions,
  type StepOptions,
  type StepResult,
} from './step-options.js'

/**
 * Ancestral sampling from noise to x0, one step for each timestep of the process (respace it for fewer).
 *
 * @param predict  any model; it is told original timesteps
 * @param xT       pure noise, `[B, C, H, W]`, for instance from `startNoise`; not disposed of
 * @param options  a seed or a noise function is needed; `clipDenoised` is on by default, which suits pixels: turn it off
 *   for latents
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * @example
 * for await (const { index, numSteps, x0 } of ddpm(diffusion, predict, xT, { seed: 0 })) {
 *   if (index % 10 === 0) show(await x0.data(), index / numSteps)
 * }
 *
 * Ho et al. 2020, "Denoising Diffusion Probabilistic Models", algorithm 2.
 */
export function ddpm(
  diffusion: GaussianDiffusion,
  predict: Predict,
  xT: Tensor,
  options: SamplerOptions & NoiseSource,
): AsyncGenerator<SamplerStep, void, void> {
  checkStart('ddpm', 'xT', xT)
  const draw = stepNoise('ddpm', options, true)!
  return runPath(
    gaussianPath(diffusion),
    xT,
    (xt, _step, index) => {
      const timesteps = new Int32Array(xt.shape[0]).fill(diffusion.numTimesteps - 1 - index)
      return ddpmStep(diffusion, predict, { xt, timesteps, noise: draw(index, xt.shape, xt.backend) }, options)
    },
    options,
  )
}

/**
 * One step of ancestral sampling, xt to x[t-1].
 *
 *   x[t-1] = mean + [t > 0] exp(logVariance / 2) noise,     mean += variance * conditionGradient(xt, t)
 *
 * Mean and variance are those of `modelMeanVariance`. Samples may be at different timesteps.
 *
 * @param batch  xt and noise `[B, C, H, W]`, timesteps `[B]` in 0 .. numTimesteps - 1
 * @returns the caller disposes of both tensors; `x0` does not know of the condition
 * @throws RangeError when a shape does not fit or a timestep is out of range
 *
 * Ho et al. 2020, algorithm 2; Dhariwal and Nichol 2021, algorithm 1 (condition).
 */
export function ddpmStep(
  diffusion: GaussianDiffusion,
  predict: Predict,
  { xt, timesteps, noise }: NoisyStep,
  options: StepOptions = {},
): StepResult {
  checkNoise('ddpmStep', noise, xt.shape)
  const original = originalTimesteps(diffusion, timesteps)
  const { conditionGradient } = options
  return scope(() => {
    const model = modelMeanVariance(diffusion, predict(xt, original), { xt, timesteps }, options)
    const gradient = conditionGradient?.(xt, original)
    if (gradient !== undefined) checkGradient('ddpmStep', gradient, xt.shape)
    const mean = gradient === undefined ? model.mean : add(model.mean, mul(model.variance, gradient))
    const isNoisy = diffusion.tables.betas.map((_, timestep) => (timestep > 0 ? 1 : 0))
    const deviation = mul(exp(affine(model.logVariance, 0.5)), perSample(isNoisy, timesteps, xt))
    return { xt: add(mean, mul(deviation, noise)), x0: model.x0 }
  })
}
