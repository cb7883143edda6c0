import type { DiTConfig } from '../config.js'
import { linearLayer, type ParameterTable, trained } from '../parameter-spec.js'

/**
 * Something that a network is told besides the timestep: a label, a vector of numbers, or a list of tokens, such as a caption that a text
 * encoder has read. Plain data, stored with the weights.
 */
export type ConditionSpec = {
  /** Begins with a letter; then letters, digits and underscores. Batches and parameters are called by it. */
  readonly name: string
  /** Chance that training replaces it by its learned null, 0 .. 1. At 0 it has no null, and cannot guide. */
  readonly dropout: number
} & (
  | { readonly kind: 'label'; readonly classes: number }
  | { readonly kind: 'vector'; readonly size: number }
  /** At most `most` tokens of `size` numbers each; for cross-attention blocks. */
  | { readonly kind: 'tokens'; readonly size: number; readonly most: number }
)

/** Which numbers each kind has. */
const SIZES: Readonly<Record<string, readonly string[]>> = {
  label: ['classes'],
  vector: ['size'],
  tokens: ['size', 'most'],
}

/** Throws a RangeError for conditions that are wrong or do not fit the other fields. */
export function checkConditions({ conditions, numClasses, classDropout, block, contextTokens = 0 }: DiTConfig): void {
  if (conditions === undefined) return
  const must = (holds: boolean, text: string, value: unknown) => {
    if (!holds) throw new RangeError(`DiTConfig: ${text} (got ${JSON.stringify(value)})`)
  }
  must(Array.isArray(conditions), 'conditions must be a list', conditions)
  must(numClasses === 0, 'numClasses must be 0 beside conditions', numClasses)
  must(classDropout === 0, 'classDropout must be 0 beside conditions', classDropout)
  must(contextTokens === 0, 'contextTokens must be 0 beside conditions', contextTokens)
  const names = conditions.map((spec) => spec?.name)
  for (const [i, spec] of conditions.entries()) {
    const at = `conditions[${i}]`
    must(spec instanceof Object, `${at} must be an object`, spec)
    const { name, kind, dropout } = spec
    const isName = typeof name === 'string' && /^[a-z]\w*$/i.test(name) && name !== 'x0' && names.indexOf(name) === i
    must(isName, `${at}.name must be a word of its own, and not x0`, name)
    must(Object.hasOwn(SIZES, kind), `${at}.kind must be label, vector or tokens`, kind)
    must(typeof dropout === 'number' && dropout >= 0 && dropout <= 1, `${at}.dropout must be in 0..1`, dropout)
    const known = ['name', 'kind', 'dropout', ...SIZES[kind]]
    const other = Object.keys(spec).find((field) => !known.includes(field))
    must(other === undefined, `${at} has a field that no ${kind} has`, other)
    for (const field of SIZES[kind]) {
      const value = (spec as unknown as Record<string, number>)[field]
      must(Number.isSafeInteger(value) && value > 0, `${at}.${field} must be a positive integer`, value)
    }
    must(kind !== 'tokens' || block === 'cross-attention', `${at} needs the block cross-attention`, block)
  }
}

/** Tokens made of the timestep and of what else the network is told, at most: the keys of a cross-attention. */
export function numEmbeddings({ conditions }: DiTConfig): number {
  if (conditions === undefined) return 2
  return conditions.reduce((count, spec) => count + (spec.kind === 'tokens' ? spec.most : 1), 1)
}

/**
 * Parameters that embed what the network is told: the table of its classes, or of each condition
 *
 * - label: a row for each class, and a last one for null
 * - vector: Linear, SiLU, Linear, initialised as the layers for timesteps are
 * - tokens: Linear
 * - null: one row, where the condition can be dropped
 */
export function conditionParameters({
  conditions,
  numClasses,
  classDropout,
  hiddenSize: D,
}: DiTConfig): ParameterTable {
  const table = (name: string, classes: number, dropout: number): ParameterTable => ({
    [`${name}.embedding_table.weight`]: trained([dropout > 0 ? classes + 1 : classes, D], 'normal'),
  })
  if (conditions === undefined) return table('y_embedder', numClasses, classDropout)
  return Object.assign(
    {},
    ...conditions.map((spec) => {
      const name = `y_embedder.${spec.name}`
      if (spec.kind === 'label') return table(name, spec.classes, spec.dropout)
      return {
        ...(spec.kind === 'vector'
          ? {
              ...linearLayer(`${name}.mlp.0`, [D, spec.size], 1, 'normal'),
              ...linearLayer(`${name}.mlp.2`, [D, D], 1, 'normal'),
            }
          : linearLayer(`${name}.proj`, [D, spec.size], spec.most)),
        ...(spec.dropout > 0 ? { [`${name}.null`]: trained([1, D], 'normal') } : {}),
      }
    }),
  ) as ParameterTable
}
