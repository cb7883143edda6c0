import {
  type GaussianDiffusion,
  gaussianOptions,
  type GaussianProcess,
  gaussianProcess,
  type GaussianProcessSpec,
} from '@dit/diffusion'
import type { NoiseSource } from '@dit/sampler'
import type { Path, Spacing, TimestepSpacing } from '@dit/schedules'
import { timestepRule } from './path-solver-names.js'
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

/** The path of a process as a sampler walks it. */
export function pathBy(process: GaussianProcess, sampler: string, numSteps: number, spacing: Spacing): Path {
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
