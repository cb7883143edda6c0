import { gaussianProcess, type PredictAt } from '@dit/diffusion'
import { ddpm, eulerAncestral, type SamplerStep } from '@dit/sampler'
import { isSigmaSpacing, type Spacing } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import type { GaussianProcessSpec } from '@dit/train-ddp'
import { gaussianOptions } from '../run/objective-config.js'
import { isPathSolver, PATH_SOLVERS, timestepRule } from './path-solvers.js'
import { gaussianPath, spacedDiffusion } from './sampling-path.js'

export interface SpacedOptions {
  readonly steps: number
  readonly spacing: Spacing
  readonly eta: number
  readonly clip: boolean
  readonly seed: number
  readonly firstSample: number
  readonly signal?: AbortSignal
}

/**
 * The sampling loop of a Gaussian diffusion whose levels a spacing lays out.
 *
 * @throws RangeError for `ddpm` with a spacing whose levels lie between timesteps, and for steps that the spacing does not have
 */
export function spacedSteps(
  process: GaussianProcessSpec,
  sampler: string,
  predict: PredictAt,
  xT: Tensor,
  { steps, spacing, eta, clip, ...noise }: SpacedOptions,
): AsyncGenerator<SamplerStep, void, void> {
  if (sampler === 'ddpm') {
    if (isSigmaSpacing(spacing)) throw new RangeError(`spacedSteps: ddpm takes timesteps (got spacing ${spacing})`)
    return ddpm(spacedDiffusion(process, { steps, spacing }), predict, xT, { ...noise, clipDenoised: clip })
  }
  const path = gaussianPath(process, { steps, spacing }, timestepRule(sampler))
  const denoise = gaussianProcess(gaussianOptions(process)).denoiser(predict, clip ? { clipRange: 1 } : {})
  if (sampler === 'ddim') return eulerAncestral(path, denoise, xT, { ...noise, eta })
  // DPM-Solver++ (2M) over the levels of any path.
  const solver = isPathSolver(sampler) ? sampler : 'dpmpp-2m'
  return PATH_SOLVERS[solver](path, denoise, xT, noise)
}
