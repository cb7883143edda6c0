import { specFromVersion1, type Version1 } from '@dit/train-ddp'
import { RUN_FORMAT } from './run-config.js'

type Fields = Readonly<Record<string, unknown>>

/**
 * A run's configuration in the present format. Format 1 had the model beside the recipe, and in the recipe the process and the
 * timestep sampler.
 *
 * @throws RangeError or TypeError where a configuration of format 1 lacks what is moved
 */
export function upgradedConfig(config: Fields): Fields {
  if (config.format === RUN_FORMAT) return config
  const { model, recipe, ...rest } = config as Fields & Version1
  for (const [name, value] of Object.entries({ model, recipe, diffusion: recipe?.diffusion })) {
    if (typeof value === 'object' && value !== null) continue
    throw new TypeError(`"${name}" must be an object (got ${JSON.stringify(value) ?? 'nothing'})`)
  }
  const { diffusion: _diffusion, timestepSampler: _sampler, ...own } = recipe
  return { ...rest, format: RUN_FORMAT, objective: specFromVersion1({ model, recipe }), recipe: own }
}
