import type { Params, Shape } from '@dit/tensor'
import type { Block } from './blocks/block.js'
import type { DiTConfig } from './config.js'
import { compareShapes, describeDifference } from './compare-shapes.js'
import type { ParameterSource } from './parameter-source.js'
import { isParameterSource } from './parameter-source.js'
import { parameterShapes } from './parameter-shapes.js'

/**
 * Checks that a record of tensors is what a configuration needs, no less and no more.
 *
 * @param block blocks of your own, in place of those that the configuration names
 * @throws RangeError that lists what is missing, has another shape, or does not belong
 */
export function checkParams(config: DiTConfig, params: Params | ParameterSource, block?: Block): void {
  const found: [string, Shape][] = isParameterSource(params)
    ? Object.entries(params.shapes)
    : Object.entries(params).map(([name, { shape }]) => [name, shape])
  const difference = compareShapes(new Map(Object.entries(parameterShapes(config, block))), new Map(found))
  if (difference === null) return
  const problems = describeDifference(difference)
  throw new RangeError(`checkParams: the parameters must be those of the configuration (${problems})`)
}

const checked = new WeakMap<Params | ParameterSource, DiTConfig>()

/** `checkParams`, but only once for a pair of objects: a training loop calls it at every step. */
export function checkParamsOnce(config: DiTConfig, params: Params | ParameterSource, block?: Block): void {
  if (checked.get(params) === config) return
  checkParams(config, params, block)
  checked.set(params, config)
}
