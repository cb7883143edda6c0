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
  /**
   * At most `most` tokens of `size` numbers each, for blocks that read tokens: cross-attention and in-context. With `pooled` the mean
   * of the embedded tokens is told besides, as a vector is; that is all that other blocks are told of them.
   */
  | { readonly kind: 'tokens'; readonly size: number; readonly most: number; readonly pooled?: boolean }
)

/** Which numbers each kind has, in the order of the alphabet. */
const SIZES: Readonly<Record<string, string>> = { label: 'classes', vector: 'size', tokens: 'most,size' }

/** Throws a RangeError for conditions that are wrong or do not fit the other fields. Pages carry it: few words. */
export function checkConditions({ conditions, numClasses, classDropout, block, contextTokens = 0 }: DiTConfig): void {
  if (conditions === undefined) return
  const must = (holds: boolean, text: string, value: unknown) => {
    if (!holds) throw new RangeError(`DiTConfig: ${text} (got ${JSON.stringify(value)})`)
  }
  const zeros = [numClasses, classDropout, contextTokens]
  must(String(zeros) === '0,0,0', 'numClasses, classDropout and contextTokens must be 0 beside conditions', zeros)
  must(Array.isArray(conditions), 'conditions must be a list', conditions)
  const names = ['x0']
  const readsTokens = block === 'cross-attention' || block === 'in-context'
  for (const spec of conditions) {
    const { name, kind, dropout, pooled, ...sizes } = Object(spec) as ConditionSpec & { readonly pooled?: boolean }
    must(
      typeof name === 'string' &&
        /^[a-z]\w*$/i.test(name) &&
        !names.includes(name) &&
        typeof dropout === 'number' &&
        dropout >= 0 &&
        dropout <= 1 &&
        Object.keys(sizes).toSorted().join() === SIZES[kind] &&
        Object.values(sizes).every((size) => Number.isSafeInteger(size) && size > 0) &&
        (kind === 'tokens'
          ? [true, ...(readsTokens ? [false, undefined] : [])].includes(pooled)
          : pooled === undefined),
      'conditions must have names of their own, dropout 0..1, a kind with its sizes, and tokens the block cross-attention or in-context, or pooled',
      spec,
    )
    names.push(name)
  }
}

/** Tokens made of the timestep and of what else the network is told, at most: the keys of a cross-attention, the context of in-context. */
export function numEmbeddings({ conditions }: DiTConfig): number {
  if (conditions === undefined) return 2
  return conditions.reduce(
    (count, spec) => count + (spec.kind === 'tokens' ? spec.most + (spec.pooled === true ? 1 : 0) : 1),
    1,
  )
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
  const label = { name: '', kind: 'label', classes: numClasses, dropout: classDropout } as const
  const parameters = (conditions ?? [label]).map((spec): ParameterTable => {
    const { kind, dropout } = spec
    const name = spec.name === '' ? 'y_embedder' : `y_embedder.${spec.name}`
    const nulls = dropout > 0 ? 1 : 0
    if (kind === 'label') return { [`${name}.embedding_table.weight`]: trained([spec.classes + nulls, D], 'normal') }
    return {
      ...(kind === 'tokens'
        ? linearLayer(`${name}.proj`, [D, spec.size], spec.most)
        : {
            ...linearLayer(`${name}.mlp.0`, [D, spec.size], 1, 'normal'),
            ...linearLayer(`${name}.mlp.2`, [D, D], 1, 'normal'),
          }),
      ...(nulls > 0 ? { [`${name}.null`]: trained([1, D], 'normal') } : {}),
    }
  })
  return Object.assign({}, ...parameters) as ParameterTable
}
