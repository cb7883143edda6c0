import { gaussianDiffusion, gaussianOptions } from '@dit/diffusion'
import type { DiTConfig } from '@dit/model'
import {
  type CompleteProcess,
  completeProcess,
  type DenoisingSpec,
  type FlowProcessSpec,
  isKnownSpec,
  type KnownSpec,
  type ProcessSpec,
  type TimestepSampler,
} from '@dit/train-ddp'
import { UsageError } from '../terminal/errors.js'

/** An objective that a module of the user's makes. */
export interface ModuleSpec {
  readonly kind: 'module'
  /** Absolute, as a run may be resumed from anywhere. */
  readonly module: string
  /** SHA-256 of the module's file. */
  readonly sha256: string
  /** What its functions receive as `options`; absent means nothing. */
  readonly options?: Readonly<Record<string, unknown>>
  /** The objective's own spec. */
  readonly spec: object
}

/** What a run learns, as `config.json` holds it. */
export type ObjectiveConfig = KnownSpec | ModuleSpec

/** What a run of `dit train` without a module learns: a class-conditional DiT, and the process that it reverses. */
export interface Denoising {
  readonly model: DiTConfig
  readonly process: CompleteProcess
  readonly timestepSampler: TimestepSampler
}

/** The DiT and process of a run, or null for a run of a module. */
export function denoisingOrNull({ objective }: { readonly objective: ObjectiveConfig }): Denoising | null {
  if (!isKnownSpec(objective)) return null
  const { network, process } = objective
  const timestepSampler = objective.kind === 'denoising' ? objective.timestepSampler : 'uniform'
  return { model: network.config, process, timestepSampler }
}

/**
 * The process that a run's network reverses, a DiT or one of a module; null for an objective that does not denoise, and for a process that
 * only its module knows.
 */
export function processOfRun({ objective }: { readonly objective: ObjectiveConfig }): CompleteProcess | null {
  if (objective.kind !== 'module') return objective.process
  const { kind, process } = objective.spec as Partial<DenoisingSpec>
  const isKnown = kind === 'denoising' && (process?.kind === 'gaussian' || process?.kind === 'flow')
  return isKnown ? completeProcess(process) : null
}

/**
 * The DiT and process of a run.
 *
 * @param what needs them, for the message
 * @throws UsageError for a run whose objective a module makes
 */
export function denoisingOf(config: { readonly objective: ObjectiveConfig }, what: string): Denoising {
  const denoising = denoisingOrNull(config)
  if (denoising !== null) return denoising
  throw new UsageError(
    `${what} works only for DiTs, but this run trains the objective of ${(config.objective as ModuleSpec).module}`,
  )
}

export function isFlow(process: ProcessSpec): process is FlowProcessSpec {
  return process.kind === 'flow'
}

/** Steps that sampling can take at most: the timesteps of a Gaussian process; a flow has no such limit. */
export function mostSteps(process: ProcessSpec): number {
  return isFlow(process) ? Infinity : gaussianDiffusion(gaussianOptions(process)).numTimesteps
}
