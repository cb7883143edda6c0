import { type CompleteProcess, completeProcess } from '@dit/diffusion'
import { type DenoisingObjective, denoising, type DenoisingSpec, type TimestepSampler } from './denoising.js'
import type { Params } from '@dit/tensor'
import { conditionalDiT } from './conditional-dit.js'
import { dit, type DiTSpec } from './dit.js'
import { lowRank } from './low-rank.js'
import type { Network } from './network.js'

/** Of the networks that this package knows. */
export type KnownSpec = DenoisingSpec<DiTSpec, CompleteProcess>

export interface FromSpecOptions {
  /** Of a spec with adapters: the parameters that they adapt, on the engine. */
  readonly base?: Params | undefined
}

/**
 * The objective that a spec describes, as a run's `config.json` or a checkpoint's `state.json` holds it.
 *
 * @throws RangeError for a spec of another kind: one of your own, which only your code can build; and for one with adapters but no base
 */
export function objectiveFromSpec(
  spec: object,
  { base }: FromSpecOptions = {},
): DenoisingObjective<DiTSpec, CompleteProcess> {
  if (!isKnownSpec(spec)) {
    const { kind, network } = spec as { kind?: unknown; network?: { kind?: unknown } }
    throw new RangeError(
      `objectiveFromSpec: the spec must be of a denoising DiT (it is of ${JSON.stringify(kind)} with network ${JSON.stringify(network?.kind)})`,
    )
  }
  const { network, process, timestepSampler } = spec
  const { config } = network
  const whole: Network & { readonly spec: DiTSpec } =
    config.conditions === undefined ? dit(config) : conditionalDiT(config)
  const { lora } = network
  if (lora === undefined) return denoising(whole, process, { timestepSampler })
  if (base === undefined) {
    throw new RangeError('objectiveFromSpec: the spec has adapters, so the option base must have what they adapt')
  }
  return denoising(lowRank(whole, base, lora), process, { timestepSampler })
}

/** Whether `objectiveFromSpec` knows its kind. What is in it is not checked. */
export function isKnownSpec(spec: object): spec is KnownSpec {
  const { kind, network, process } = spec as Partial<DenoisingSpec<DiTSpec>>
  return kind === 'denoising' && network?.kind === 'dit' && process?.kind !== 'own'
}

/** The model and recipe of a run of format 1, which kept the process and the timestep sampler in the recipe. */
export interface Version1 {
  readonly model: DiTSpec['config']
  readonly recipe: { readonly diffusion: object; readonly timestepSampler: TimestepSampler }
}

/** The spec that a run of format 1 has in format 2. */
export function specFromVersion1({ model, recipe }: Version1): KnownSpec {
  return {
    kind: 'denoising',
    network: { kind: 'dit', config: model },
    process: completeProcess(recipe.diffusion),
    timestepSampler: recipe.timestepSampler,
  }
}
