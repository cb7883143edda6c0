import { checkLossWeight, type LossWeight } from '@dit/schedules'
import { flowMatching, type FlowMatchingOptions } from './flow/flow-matching.js'
import { flowProcess } from './flow/flow-process.js'
import type { GaussianDiffusionOptions } from './gaussian/gaussian-diffusion.js'
import { checkDistilled, type DistilledSteps } from './distillation/distilled-steps.js'
import { gaussianProcess } from './gaussian/gaussian-process.js'
import type { Process } from './process.js'

/** What any process may be. */
interface Distillable {
  /** Of a student of few steps: its network answers along `distilledPath` alone, one step at a time. Absent for what was not distilled. */
  readonly distilled?: DistilledSteps
}

/** A Gaussian diffusion, by default that of the paper. */
export interface GaussianProcessSpec extends GaussianDiffusionOptions, Distillable {
  readonly kind?: 'gaussian'
}

/** Flow matching, by default a rectified flow: straight paths, velocities, uniform times. */
export interface FlowProcessSpec extends Omit<FlowMatchingOptions, 'outputsPerChannel'>, Distillable {
  readonly kind: 'flow'
}

/** The process that a network learns to reverse: plain data. */
export type ProcessSpec = GaussianProcessSpec | FlowProcessSpec

/** A process with every setting in it: equal processes have equal specs. */
export type CompleteProcess = (GaussianProcessSpec & { readonly kind: 'gaussian' }) | FlowProcessSpec

/**
 * Fills in the settings that were left out. Betas become a plain list.
 *
 * @throws RangeError for a kind or a setting that is not known here
 */
export function completeProcess(process: ProcessSpec): CompleteProcess {
  const { distilled, ...plain } = process
  const { kind = 'gaussian' } = process
  if (distilled !== undefined) checkDistilled(distilled)
  const own = distilled === undefined ? {} : { distilled }
  if (kind === 'gaussian') return { ...completeGaussian(plain as GaussianProcessSpec), ...own }
  if (kind === 'flow') return { ...completeFlow(plain as FlowProcessSpec), ...own }
  throw new RangeError(`completeProcess: the process must be gaussian or flow (got ${String(kind)})`)
}

function completeGaussian(process: GaussianProcessSpec): CompleteProcess {
  const { kind: _kind, schedule, numTimesteps, betas, betaStart, betaEnd, respacing, lossWeight, ...types } = process
  const { meanType = 'epsilon', varianceType = 'learnedRange', lossType = 'mse', ...unknown } = types
  refuseUnknown('gaussian', unknown)
  const steps =
    betas === undefined
      ? { schedule: schedule ?? ('linear' as const), numTimesteps: numTimesteps ?? 1000 }
      : { schedule, numTimesteps, betas: Object.values(betas) }
  // What older specs do not know stays absent where it is not used.
  const rest = present({
    betaStart,
    betaEnd,
    respacing: respacing ?? undefined,
    lossWeight: completeWeight(lossWeight),
  })
  return { kind: 'gaussian', ...steps, meanType, varianceType, lossType, ...rest }
}

function completeFlow({ kind, ...options }: FlowProcessSpec): CompleteProcess {
  const known = ['interpolant', 'betaMin', 'betaMax', 'networkTime', 'timestepScale']
  const own = ['prediction', 'weighting', 'sigmaFloor', 'times', 'interval']
  const unknown = Object.fromEntries(Object.entries(options).filter(([name]) => ![...known, ...own].includes(name)))
  refuseUnknown('flow', unknown)
  const { flow, prediction, weighting, sigmaFloor, times, interval } = flowMatching(options)
  return { kind, ...flow, prediction, weighting, sigmaFloor, times, interval }
}

/**
 * The process that a spec describes.
 *
 * @param outputsPerChannel of the network; the further channels of a flow's network play no part
 * @throws RangeError or TypeError for settings that cannot be
 */
export function processFromSpec(spec: ProcessSpec, outputsPerChannel: 1 | 2 = 1): Process {
  const { kind = 'gaussian', distilled: _distilled, ...options } = spec
  if (kind === 'flow') return flowProcess({ ...(options as FlowMatchingOptions), outputsPerChannel })
  return gaussianProcess(options as GaussianDiffusionOptions)
}

/** Nothing for no weight, as in runs from before there were any. */
function completeWeight(lossWeight: LossWeight = 'none'): LossWeight | undefined {
  checkLossWeight('denoising', lossWeight)
  if (lossWeight === 'none') return undefined
  if (typeof lossWeight === 'string' || !('p2' in lossWeight)) return lossWeight
  const { k = 1, gamma = 1 } = lossWeight.p2
  return { p2: { k, gamma } }
}

function refuseUnknown(kind: string, settings: object): void {
  const [name] = Object.keys(settings)
  if (name !== undefined) throw new RangeError(`completeProcess: a ${kind} process has no setting ${name}`)
}

function present<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}

export function isFlow(process: ProcessSpec): process is FlowProcessSpec {
  return process.kind === 'flow'
}

/** The options of a Gaussian process for `gaussianProcess` and `gaussianDiffusion`. */
export function gaussianOptions({
  kind: _kind,
  distilled: _distilled,
  ...options
}: GaussianProcessSpec): GaussianDiffusionOptions {
  return options
}
