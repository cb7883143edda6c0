import { type Backend, type FlatLayout, flatLayout, type Shape } from '@dit/tensor'
import type { ParameterTable } from '../objective/objective.js'

/** Parameters that are trained in their own way; the first group that matches a name takes the parameter. */
export interface ParameterGroup {
  readonly name: string
  /** Regular expression that the names of its parameters match: `^blocks\\.` or `bias$`. */
  readonly match: string
  /** By which the recipe's learning rate is multiplied (default 1). */
  readonly learningRateFactor?: number
  /** In place of the recipe's. */
  readonly weightDecay?: number
  /** Its parameters stay as they are. */
  readonly isFrozen?: boolean
}

const FIELDS = ['name', 'match', 'learningRateFactor', 'weightDecay', 'isFrozen']

/** Parameters that match no group. */
const REST: ParameterGroup = { name: 'rest', match: '' }

/** Parameters by group, in segments of memory of their own. */
export interface GroupedParameters {
  /** Of what is trained. */
  readonly trainable: FlatLayout
  /** Group of each of its segments. */
  readonly groupOf: readonly ParameterGroup[]
  readonly frozen: FlatLayout
}

/**
 * Lays parameters out by group, so that one kernel updates many of them at the same rate.
 *
 * @throws RangeError for a group that no parameter is in
 */
export function groupParameters(
  table: ParameterTable,
  groups: readonly ParameterGroup[],
  backend: Backend,
): GroupedParameters {
  const all = [...groups, REST]
  const patterns = all.map(({ match }) => new RegExp(match))
  const members: Record<string, Shape>[] = all.map(() => ({}))
  const frozen: Record<string, Shape> = {}
  const counts = all.map(() => 0)
  for (const [name, { shape, isTrainable = true }] of Object.entries(table)) {
    const index = patterns.findIndex((pattern) => pattern.test(name))
    counts[index]++
    const isFixed = !isTrainable || all[index].isFrozen === true
    ;(isFixed ? frozen : members[index])[name] = shape
  }
  const empty = groups.find((_, i) => counts[i] === 0)
  if (empty !== undefined) throw new RangeError(`recipe: no parameter is in group ${empty.name} (${empty.match})`)
  if (members.every((shapes) => Object.keys(shapes).length === 0)) {
    throw new RangeError('recipe: the groups freeze every parameter; nothing would be trained')
  }
  const layouts = members.map((shapes) => flatLayout(shapes, backend))
  return {
    trainable: joined(layouts),
    groupOf: layouts.flatMap(({ segmentSizes }, i) => segmentSizes.map(() => all[i])),
    frozen: flatLayout(frozen, backend),
  }
}

/** Layouts one after the other, with segments of their own. */
function joined(layouts: readonly FlatLayout[]): FlatLayout {
  const entries: FlatLayout['entries'][number][] = []
  const segmentSizes: number[] = []
  for (const layout of layouts) {
    const first = segmentSizes.length
    entries.push(...layout.entries.map((entry) => ({ ...entry, segment: entry.segment + first })))
    segmentSizes.push(...layout.segmentSizes)
  }
  return { entries, segmentSizes }
}

/**
 * Checks groups.
 *
 * @throws RangeError that names the group and what is wrong with it
 */
export function checkGroups(groups: readonly ParameterGroup[]): void {
  const names = new Set<string>()
  for (const group of groups) {
    const unknown = Object.keys(group).find((field) => !FIELDS.includes(field))
    if (unknown !== undefined) throw new RangeError(`recipe: a group has no field ${unknown}`)
    const { name, match, learningRateFactor = 1, weightDecay = 0, isFrozen = false } = group
    if (typeof isFrozen !== 'boolean') throw new TypeError(`recipe: isFrozen of group ${name} must be true or false`)
    if (typeof name !== 'string' || name === '' || name === REST.name || names.has(name)) {
      throw new RangeError(`recipe: groups need different names other than ${REST.name} (got ${name})`)
    }
    names.add(name)
    if (!isPattern(match))
      throw new RangeError(`recipe: match of group ${name} must be a regular expression (got ${match})`)
    for (const [field, value] of Object.entries({ learningRateFactor, weightDecay })) {
      if (value >= 0 && Number.isFinite(value)) continue
      throw new RangeError(`recipe: ${field} of group ${name} must be a finite number, 0 or more (got ${value})`)
    }
  }
}

function isPattern(match: string): boolean {
  try {
    return typeof match === 'string' && match !== '' && new RegExp(match) instanceof RegExp
  } catch {
    return false
  }
}
