import { integers } from '@dit/random'
import { levelAtSnr, type NoiseLevel, type Path, pathThrough, spacedPath, type Spacing } from '@dit/schedules'
import { denoiser } from '../denoiser.js'
import type { Process } from '../process.js'
import {
  type GaussianDiffusion,
  gaussianDiffusion,
  type GaussianDiffusionOptions,
  hasLearnedVariance,
} from './gaussian-diffusion.js'
import { trainingLosses } from './training-losses.js'

/** Gaussian diffusion as a `Process`, with its tables. */
export interface GaussianProcess extends Process, Pick<GaussianDiffusion, 'family'> {
  readonly diffusion: GaussianDiffusion
  /**
   * Through levels of the process, and then to no noise: see `spacedPath`.
   *
   * @param options `numSteps` (default: all timesteps, which suits a respaced process), the `spacing` (default `trailing`) and whose
   *   timesteps it means (`rule`, default `dpm`)
   */
  path(options?: {
    readonly numSteps?: number
    readonly shift?: number
    readonly spacing?: Spacing
    readonly rule?: 'ddim' | 'dpm'
  }): Path
}

/**
 * Gaussian diffusion for a trainer and a sampler: `trainingLosses` at uniform timesteps, and paths through evenly spaced
 * timesteps that end without noise.
 *
 * @throws RangeError or TypeError for options that `gaussianDiffusion` does not take; by `path` for more steps than timesteps, or
 *   a shift
 *
 * @example
 * const process = gaussianProcess({ schedule: 'squaredcos_cap_v2' })
 */
export function gaussianProcess(options: GaussianDiffusionOptions = {}): GaussianProcess {
  const diffusion = gaussianDiffusion(options)
  const { numTimesteps, timestepMap, tables, meanType, lossType } = diffusion
  const outputsPerChannel = hasLearnedVariance(diffusion) ? 2 : 1
  const isVariational = lossType === 'kl' || lossType === 'rescaledKl'
  return {
    family: 'gaussian',
    diffusion,
    prediction: meanType,
    outputsPerChannel,
    terms: isVariational ? ['loss'] : outputsPerChannel === 2 ? ['loss', 'mse', 'vb'] : ['loss', 'mse'],
    draw: (stream, count, start = 0) => integers(stream, numTimesteps, count, start),
    losses: (predict, { x0, timesteps, noise }) => {
      return { ...trainingLosses(diffusion, predict, { x0, timesteps: timesteps as Int32Array, noise }) }
    },
    levelAtSnr: (snr, { isWhole } = {}) => levelAtSnr(tables, snr, { timestepMap, isWhole }),
    path: ({ numSteps = numTimesteps, shift = 1, spacing = 'trailing', rule = 'dpm' } = {}) => {
      if (shift !== 1) throw new RangeError(`gaussianProcess: a path has no shift, which is for flows (got ${shift})`)
      return spacedPath(tables.alphaBar, { numSteps, spacing, rule, timestepMap })
    },
    denoiser: (predict, readOptions) => denoiser(predict, { ...readOptions, prediction: meanType, outputsPerChannel }),
  }
}

/**
 * The path through timesteps of a process, and then to no noise.
 *
 * @param timesteps in 0 .. numTimesteps - 1, falling (default: all of them)
 */
export function gaussianPath(
  { numTimesteps, timestepMap, tables }: GaussianDiffusion,
  timesteps: Int32Array = Int32Array.from({ length: numTimesteps }, (_, i) => numTimesteps - 1 - i),
): Path {
  const levels = Array.from(timesteps, (i): NoiseLevel => {
    const alphaBar = tables.alphaBar[i]
    return { alpha: Math.sqrt(alphaBar), sigma: Math.sqrt(1 - alphaBar), timestep: timestepMap[i] }
  })
  return pathThrough([...levels, { alpha: 1, sigma: 0, timestep: 0 }])
}
