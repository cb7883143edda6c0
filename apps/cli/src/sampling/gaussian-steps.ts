import { type GaussianProcess, gaussianProcess, type PredictAt } from '@dit/diffusion'
import { ddim, ddpm, type NoiseSource, type SamplerStep } from '@dit/sampler'
import { isSigmaSpacing, type Path, type Spacing } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import type { GaussianProcessSpec } from '@dit/train-ddp'
import { gaussianOptions } from '../run/objective-config.js'
import { isPathSolver, PATH_SOLVERS, timestepRule, usualSpacing } from './path-solvers.js'
import { spacedDiffusion } from './sampling-path.js'

export interface GaussianSteps {
  readonly steps: number
  /** Of the levels; by default that of the sampler. */
  readonly spacing?: Spacing
  /** For `ddim`. */
  readonly eta: number
  readonly clip: boolean
  readonly noise: NoiseSource & { readonly signal?: AbortSignal }
}

/**
 * Checks that a process has a path of these steps by this spacing.
 *
 * @throws RangeError where it has not
 */
export function checkSpacing(process: GaussianProcessSpec, sampler: string, steps: number, spacing: Spacing): void {
  pathBy(gaussianProcess(gaussianOptions(process)), sampler, steps, spacing)
}

/** Noise over signal where a process begins; Infinity for one that begins without signal. */
export function startRatio(process: GaussianProcessSpec): number {
  const alphaBar = gaussianProcess(gaussianOptions(process)).diffusion.tables.alphaBar.at(-1)!
  return Math.sqrt((1 - alphaBar) / alphaBar)
}

function pathBy(process: GaussianProcess, sampler: string, numSteps: number, spacing: Spacing): Path {
  return process.path({ numSteps, spacing, rule: timestepRule(sampler) })
}

/**
 * The sampling loop of a Gaussian diffusion. By default `ddpm` and `ddim` take evenly spaced timesteps, the first and the last among
 * them, the others those of `usualSpacing`.
 *
 * @throws RangeError for `ddpm` with a spacing whose levels lie between timesteps, and for steps that the spacing does not have
 */
export function gaussianSteps(
  process: GaussianProcessSpec,
  sampler: string,
  predict: PredictAt,
  xT: Tensor,
  { steps, spacing, eta, clip, noise }: GaussianSteps,
): AsyncGenerator<SamplerStep, void, void> {
  const options = gaussianOptions(process)
  const respaced = () => gaussianProcess({ ...options, respacing: [steps] })
  if (sampler === 'ddpm') {
    if (spacing !== undefined && isSigmaSpacing(spacing)) {
      throw new RangeError(`gaussianSteps: ddpm takes timesteps (got spacing ${spacing})`)
    }
    const diffusion = spacing === undefined ? respaced().diffusion : spacedDiffusion(process, { steps, spacing })
    return ddpm(diffusion, predict, xT, { ...noise, clipDenoised: clip })
  }
  const known = gaussianProcess(options)
  const denoise = known.denoiser(predict, clip ? { clipRange: 1 } : {})
  const spaced = (usual: Spacing) => pathBy(known, sampler, steps, spacing ?? usual)
  if (sampler === 'ddim') {
    const path = spacing === undefined ? respaced().path() : spaced(spacing)
    return ddim(path, denoise, xT, { ...noise, eta })
  }
  // `dpm` is DPM-Solver++ (2M) as it was offered first.
  return PATH_SOLVERS[isPathSolver(sampler) ? sampler : 'dpmpp-2m'](spaced(usualSpacing(sampler)), denoise, xT, noise)
}
