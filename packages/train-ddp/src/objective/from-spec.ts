import { type CompleteProcess, completeProcess } from '@dit/diffusion'
import { type DenoisingObjective, denoising, type DenoisingSpec, type TimestepSampler } from './denoising.js'
import type { DiTConfig } from '@dit/model'
import type { Params } from '@dit/tensor'
import { conditionalDiT } from './conditional-dit.js'
import { distillation, type DistillationObjective, type DistillationSpec } from './distillation.js'
import { dit, type DiTSpec } from './dit.js'
import { lowRank } from './low-rank.js'
import type { Network } from './network.js'
import { studentDiT } from './student-dit.js'

/** What a run of a network that this package knows learns. */
export type KnownSpec = DenoisingSpec<DiTSpec, CompleteProcess> | DistillationSpec<DiTSpec>

export interface FromSpecOptions {
  /** Of a spec with adapters the parameters that they adapt, of a student those of its teacher, on the engine. */
  readonly base?: Params | undefined
}

/**
 * The objective that a spec describes, as a run's `config.json` or a checkpoint's `state.json` holds it.
 *
 * @throws RangeError for a spec of another kind: one of your own, which only your code can build; and for one with adapters or a teacher
 *   but no base
 */
export function objectiveFromSpec(
  spec: object,
  { base }: FromSpecOptions = {},
): DenoisingObjective<DiTSpec, CompleteProcess> | DistillationObjective<DiTSpec> {
  if (!isKnownSpec(spec)) {
    const { kind, network } = spec as { kind?: unknown; network?: { kind?: unknown } }
    throw new RangeError(
      `objectiveFromSpec: the spec must be of a denoising DiT, or a student of one (it is of ${JSON.stringify(kind)} with network ${JSON.stringify(network?.kind)})`,
    )
  }
  const { network, process } = spec
  const { lora } = network
  const whole = knownNetwork(network.config)
  if (spec.kind === 'denoising' && lora === undefined) {
    return denoising(whole, process, { timestepSampler: spec.timestepSampler })
  }
  if (base === undefined) {
    throw new RangeError(
      `objectiveFromSpec: the spec has ${spec.kind === 'distillation' ? 'a teacher' : 'adapters'}, so the option base must have ${spec.kind === 'distillation' ? 'its parameters' : 'what they adapt'}`,
    )
  }
  if (spec.kind === 'denoising') {
    return denoising(lowRank(whole, base, lora!), process, { timestepSampler: spec.timestepSampler })
  }
  return studentFromSpec(spec, whole, base)
}

function studentFromSpec(
  { network, process, teacher, isFirst, guidanceScale }: DistillationSpec<DiTSpec>,
  whole: KnownNetwork,
  base: Params,
): DistillationObjective<DiTSpec> {
  const { distilled, ...plain } = process
  if (distilled === undefined) {
    throw new RangeError('objectiveFromSpec: the process of a student must have distilled, its steps (got nothing)')
  }
  const { guidanceRange: _, ...told } = network.config
  return distillation(whole, plain, {
    ...distilled,
    teacher: base,
    teacherDigest: teacher,
    guidanceScale,
    ...(isFirst ? { teacherNetwork: dit(told) } : {}),
  })
}

type KnownNetwork = Network & { readonly spec: DiTSpec }

/** A DiT as a network, whatever its configuration says that it is told. */
function knownNetwork(config: DiTConfig): KnownNetwork {
  if (config.conditions !== undefined) return conditionalDiT(config)
  return config.guidanceRange === undefined ? dit(config) : studentDiT(config)
}

/** Whether `objectiveFromSpec` knows its kind. What is in it is not checked. */
export function isKnownSpec(spec: object): spec is KnownSpec {
  const { kind, network, process } = spec as Partial<DenoisingSpec<DiTSpec>> & { readonly kind?: string }
  return (kind === 'denoising' || kind === 'distillation') && network?.kind === 'dit' && process?.kind !== 'own'
}

/** The model and recipe of a run of format 1, which kept the process and the timestep sampler in the recipe. */
export interface Version1 {
  readonly model: DiTSpec['config']
  readonly recipe: { readonly diffusion: object; readonly timestepSampler: TimestepSampler }
}

/** The spec that a run of format 1 has in format 2. */
export function specFromVersion1({ model, recipe }: Version1): DenoisingSpec<DiTSpec, CompleteProcess> {
  return {
    kind: 'denoising',
    network: { kind: 'dit', config: model },
    process: completeProcess(recipe.diffusion),
    timestepSampler: recipe.timestepSampler,
  }
}
