import { type CompleteProcess, completeProcess } from '@dit/diffusion'
import { type DenoisingObjective, denoising, type DenoisingSpec, type TimestepSampler } from './denoising.js'
import { dit, type DiTSpec } from './dit.js'

/** Of the networks that this package knows. */
export type KnownSpec = DenoisingSpec<DiTSpec, CompleteProcess>

/**
 * The objective that a spec describes, as a run's `config.json` or a checkpoint's `state.json` holds it.
 *
 * @throws RangeError for a spec of another kind: one of your own, which only your code can build
 */
export function objectiveFromSpec(spec: object): DenoisingObjective<DiTSpec, CompleteProcess> {
  if (!isKnownSpec(spec)) {
    const { kind, network } = spec as { kind?: unknown; network?: { kind?: unknown } }
    throw new RangeError(
      `objectiveFromSpec: the spec must be of a denoising DiT (it is of ${JSON.stringify(kind)} with network ${JSON.stringify(network?.kind)})`,
    )
  }
  const { network, process, timestepSampler } = spec
  return denoising(dit(network.config), process, { timestepSampler })
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
