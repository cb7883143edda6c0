import { gaussianOptions, gaussianProcess, type GaussianProcessSpec, type PredictAt } from '@dit/diffusion'
import { ddim } from '@dit/sampler'
import type { Spacing } from '@dit/schedules'
import { type GaussianSteps, pathBy } from './gaussian-steps.js'
import { isPathSolver, usualSpacing } from './path-solver-names.js'
import { PATH_SOLVERS } from './path-solvers.js'
import type { Solving } from './solving.js'

/**
 * How a Gaussian diffusion is solved along a path. By default `ddim` takes evenly spaced timesteps, the first and the last among them,
 * the others those of `usualSpacing`.
 *
 * @throws RangeError for steps that the spacing does not have
 */
export function gaussianSolving(
  process: GaussianProcessSpec,
  sampler: string,
  predict: PredictAt,
  { steps, spacing, eta, clip, noise }: GaussianSteps,
): Solving {
  const options = gaussianOptions(process)
  const known = gaussianProcess(options)
  const denoise = known.denoiser(predict, clip ? { clipRange: 1 } : {})
  const spaced = (usual: Spacing) => pathBy(known, sampler, steps, spacing ?? usual)
  if (sampler === 'ddim') {
    const path = spacing === undefined ? gaussianProcess({ ...options, respacing: [steps] }).path() : spaced(spacing)
    return { path, denoise, scale: 1, solve: (...at) => ddim(...at, { ...noise, eta }) }
  }
  // `dpm` is DPM-Solver++ (2M) as it was offered first.
  const solver = PATH_SOLVERS[isPathSolver(sampler) ? sampler : 'dpmpp-2m']
  return { path: spaced(usualSpacing(sampler)), denoise, scale: 1, solve: (...at) => solver(...at, noise) }
}
