import { formatShape, sameShape, type Shape } from '@dit/tensor'

/** How named shapes differ from those that were expected: a line for each name. */
export interface ShapeDifference {
  readonly missing: readonly string[]
  readonly misshaped: readonly string[]
  readonly unexpected: readonly string[]
}

/** Compares names and shapes; null where they are the same. `optional` names may be there or not. */
export function compareShapes(
  expected: ReadonlyMap<string, Shape>,
  found: ReadonlyMap<string, Shape>,
  optional: ReadonlySet<string> = new Set(),
): ShapeDifference | null {
  const missing: string[] = []
  const misshaped: string[] = []
  for (const [name, shape] of expected) {
    const came = found.get(name)
    if (came === undefined) {
      if (!optional.has(name)) missing.push(`${name} ${formatShape(shape)}`)
    } else if (!sameShape(came, shape)) {
      misshaped.push(`${name} ${formatShape(came)} instead of ${formatShape(shape)}`)
    }
  }
  const unexpected = [...found.keys()].filter((name) => !expected.has(name))
  const isSame = missing.length + misshaped.length + unexpected.length === 0
  return isSame ? null : { missing, misshaped, unexpected }
}

const LONGEST_LIST = 6

/** The differences as one text, in which long lists are cut. */
export function describeDifference({ missing, misshaped, unexpected }: ShapeDifference): string {
  const parts = { missing, 'of another shape': misshaped, 'not expected': unexpected }
  return Object.entries(parts)
    .filter(([, names]) => names.length > 0)
    .map(([problem, names]) => {
      const rest = names.length - LONGEST_LIST
      return `${problem}: ${names.slice(0, LONGEST_LIST).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
    })
    .join('; ')
}
