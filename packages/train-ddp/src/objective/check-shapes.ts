import { formatShape, type Params, sameShape } from '@dit/tensor'
import type { ParameterTable } from './objective.js'

/**
 * Checks that parameters are all there, each with its shape.
 *
 * @param what whose parameters they are, such as `train: initial`
 * @throws RangeError that names the first that is missing or of another shape
 */
export function checkShapes(what: string, parameters: ParameterTable, given: Params): void {
  for (const [name, { shape }] of Object.entries(parameters)) {
    const found = given[name]?.shape
    if (found !== undefined && sameShape(found, shape)) continue
    const came = found === undefined ? 'nothing' : formatShape(found)
    throw new RangeError(`${what} must have ${name} as ${formatShape(shape)} (got ${came})`)
  }
}
