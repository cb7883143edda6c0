import { formatShape, type Params, sameShape } from '@dit/tensor'
import type { DiTConfig } from './config.js'
import { parameterShapes } from './parameter-shapes.js'

/**
 * Checks that a record of tensors is what a configuration needs, no less and no more.
 *
 * @throws RangeError that lists what is missing, has another shape, or does not belong
 */
export function checkParams(config: DiTConfig, params: Params): void {
  const shapes = parameterShapes(config)
  const missing = Object.entries(shapes)
    .filter(([name]) => params[name] === undefined)
    .map(([name, shape]) => `${name} ${formatShape(shape)}`)
  const misshaped = Object.entries(shapes)
    .filter(([name, shape]) => params[name] !== undefined && !sameShape(params[name].shape, shape))
    .map(([name, shape]) => `${name} ${formatShape(params[name].shape)} instead of ${formatShape(shape)}`)
  const unexpected = Object.keys(params).filter((name) => shapes[name] === undefined)
  const problems = [
    listed('missing', missing),
    listed('of another shape', misshaped),
    listed('not expected', unexpected),
  ].filter((problem) => problem !== '')
  if (problems.length > 0) {
    throw new RangeError(`checkParams: the parameters must be those of the configuration (${problems.join('; ')})`)
  }
}

const LONGEST_LIST = 6

function listed(problem: string, names: readonly string[]): string {
  if (names.length === 0) return ''
  const rest = names.length - LONGEST_LIST
  return `${problem}: ${names.slice(0, LONGEST_LIST).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

const checked = new WeakMap<Params, DiTConfig>()

/** `checkParams`, but only once for a pair of objects: a training loop calls it at every step. */
export function checkParamsOnce(config: DiTConfig, params: Params): void {
  if (checked.get(params) === config) return
  checkParams(config, params)
  checked.set(params, config)
}
