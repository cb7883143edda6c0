import {
  type FlowProcessSpec,
  type GaussianDiffusion,
  gaussianDiffusion,
  gaussianOptions,
  type GaussianProcessSpec,
  isFlow,
  type ProcessSpec,
} from '@dit/diffusion'
import {
  ddimTimesteps,
  flowInterval,
  type FlowInterval,
  flowLevel,
  flowPath,
  type FlowSpacing,
  type Path,
  respace,
  spacedFlowTimes,
  type Spacing,
  type TimestepSpacing,
} from '@dit/schedules'
import { timestepRule, usualSpacing } from './path-solver-names.js'

/** What a path is laid out by. */
export interface PathOptions {
  readonly steps: number
  readonly spacing?: Spacing
  /** Of a flow; by default that of its training times. */
  readonly shift?: number
}

/**
 * Where solvers that divide by alpha begin on a flow whose noise holds no signal: at sigma / alpha = 999. diffusers begins its flow
 * sigmas there too. The start is noise times the sigma of that level, which leaves out a thousandth of the picture.
 */
export const NEARLY_NOISE = 0.999

/** The Gaussian process over the timesteps of a spacing alone, for samplers that know whole timesteps. */
export function spacedDiffusion(
  process: GaussianProcessSpec,
  { steps, spacing }: PathOptions & { readonly spacing: TimestepSpacing },
): GaussianDiffusion {
  const whole = gaussianDiffusion(gaussianOptions(process))
  const kept = ddimTimesteps({ numTimesteps: whole.numTimesteps, numSteps: steps, spacing }).toReversed()
  const { tables, timestepMap } = respace(whole.tables.betas, kept)
  return { ...whole, numTimesteps: kept.length, tables, timestepMap: timestepMap.map((i) => whole.timestepMap[i]) }
}

/** Steps that sampling can take at most: the timesteps of a Gaussian process; a flow has no such limit. */
export function mostSteps(process: ProcessSpec): number {
  return isFlow(process) ? Infinity : gaussianDiffusion(gaussianOptions(process)).numTimesteps
}

/** The shift of a flow's training times, 1 where they have none. */
export function trainedShift({ times }: FlowProcessSpec): number {
  return times?.shift ?? 1
}

/**
 * The path of a flow. Its `startScale` is by what unit noise is multiplied to begin.
 *
 * @param use `ode` for the whole path, `signal` for one whose alpha is above 0, an interval for that of an SDE
 */
export function pathOfFlow(
  process: FlowProcessSpec,
  { steps, spacing, shift = trainedShift(process) }: PathOptions,
  use: 'ode' | 'signal' | FlowInterval,
): Path {
  const { interpolant, betaMin, betaMax, networkTime, timestepScale, prediction } = process
  const flow = { interpolant, betaMin, betaMax, networkTime, timestepScale }
  const { min: to, max } = typeof use === 'string' ? flowInterval({ interpolant, prediction, use: 'ode' }) : use
  const hasSignal = flowLevel(max, flow).alpha > 0
  const from = use === 'signal' && !hasSignal ? NEARLY_NOISE : max
  const times = spacedFlowTimes({ numSteps: steps, from, to, shift, spacing: spacing as FlowSpacing | undefined })
  const path = flowPath({ ...flow, times })
  return use === 'signal' ? { ...path, startScale: path.steps[0].from.sigma } : path
}

/** The most steps that a sampler can take: all timesteps of a Gaussian process, or all but one; a flow has no limit. */
export function mostStepsWith(process: ProcessSpec, sampler: string, spacing?: string): number {
  const most = mostSteps(process)
  if (isFlow(process)) return most
  const used = spacing ?? usualSpacing(sampler)
  const countsLast = (used === 'leading' || used === 'linspace') && timestepRule(sampler) === 'dpm'
  return countsLast ? most - 1 : most
}
