import { formatShape, type Params, sameShape, type Shape } from '@dit/tensor'
import type { VaeConfig } from './config.js'
import { vaeParameterShapes } from './parameter-shapes.js'

/**
 * Checks that a record of tensors is what a configuration needs, no less and no more.
 *
 * @throws RangeError that lists what is missing, has another shape, or does not belong
 */
export function checkVaeParams(config: VaeConfig, params: Params): void {
  const shapes = Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, shape]))
  checkShapes('checkVaeParams', config, shapes)
}

/**
 * The same for shapes by name.
 *
 * @param nameOf the name by which an error shows one of ours
 */
export function checkShapes(
  caller: string,
  config: VaeConfig,
  shapes: Readonly<Record<string, Shape>>,
  nameOf: (name: string) => string = (name) => name,
): void {
  const wanted = vaeParameterShapes(config)
  const missing = Object.keys(wanted)
    .filter((name) => shapes[name] === undefined)
    .map((name) => `${name} ${formatShape(wanted[name])}`)
  const misshaped = Object.keys(wanted)
    .filter((name) => shapes[name] !== undefined && !sameShape(shapes[name], wanted[name]))
    .map((name) => `${nameOf(name)} ${formatShape(shapes[name])} instead of ${formatShape(wanted[name])}`)
  const unexpected = Object.keys(shapes)
    .filter((name) => wanted[name] === undefined)
    .map(nameOf)
  const problems = [
    listed('missing', missing),
    listed('of another shape', misshaped),
    listed('not expected', unexpected),
  ].filter((problem) => problem !== '')
  if (problems.length > 0) {
    throw new RangeError(`${caller}: the parameters must be those of the configuration (${problems.join('; ')})`)
  }
}

const LONGEST_LIST = 12

function listed(problem: string, names: readonly string[]): string {
  if (names.length === 0) return ''
  const rest = names.length - LONGEST_LIST
  return `${problem}: ${names.slice(0, LONGEST_LIST).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

const checked = new WeakMap<Params, VaeConfig>()

/** `checkVaeParams`, but only once for a pair of objects. */
export function checkVaeParamsOnce(config: VaeConfig, params: Params): void {
  if (checked.get(params) === config) return
  checkVaeParams(config, params)
  checked.set(params, config)
}
