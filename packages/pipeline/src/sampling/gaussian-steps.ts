import {
  type GaussianDiffusion,
  gaussianOptions,
  type GaussianProcess,
  gaussianProcess,
  type GaussianProcessSpec,
  type PredictAt,
} from '@dit/diffusion'
import { ddim, type NoiseSource } from '@dit/sampler'
import type { Path, Spacing, TimestepSpacing } from '@dit/schedules'
import { isPathSolver, PATH_SOLVERS, timestepRule, usualSpacing } from './path-solvers.js'
import { spacedDiffusion } from './sampling-path.js'
import type { Solving } from './solving.js'

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

/** The process over the timesteps that `ddpm` visits: evenly spaced ones by default, the first and the last among them. */
export function ddpmDiffusion(
  process: GaussianProcessSpec,
  { steps, spacing }: Pick<GaussianSteps, 'steps' | 'spacing'>,
): GaussianDiffusion {
  if (spacing !== undefined) return spacedDiffusion(process, { steps, spacing: spacing as TimestepSpacing })
  return gaussianProcess({ ...gaussianOptions(process), respacing: [steps] }).diffusion
}

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
