import { labelEmbedding } from '@dit/adaln'
import { type Backend, concat, gather, linear, mul, reshape, scope, silu, sum, type Tensor, tensor } from '@dit/tensor'
import { type DiTConfig, numTokens } from '../config.js'
import type { ReadParameter } from '../parameter-source.js'
import type { Trace } from '../trace.js'
import type { ConditionSpec } from './spec.js'

/** What examples have of one condition, on the host. */
export interface ConditionValues {
  /**
   * - label: `[B]`, integers in 0 .. classes - 1
   * - vector: `[B, size]`
   * - tokens: `[B, M, size]` with M in 1 .. `most`, padded with any finite numbers, which are not read
   */
  readonly data: ArrayLike<number>
  /** Tokens: how many each example has, `[B]`, 0 .. M. */
  readonly lengths?: ArrayLike<number> | undefined
  /** `[B]`: for which examples the learned null stands in place of `data`; for none by default. */
  readonly isNull?: ArrayLike<boolean> | undefined
}

/** Conditions on the engine. */
export interface EmbeddedConditions {
  /** One `[B, D]` for each label, vector and mean of tokens. */
  readonly vectors: readonly Tensor[]
  /** `[B, M, D]`, the tokens of all conditions one after the other; null where there are none. */
  readonly tokens: Tensor | null
  /**
   * `[B, 1, 1, K]`, added to the scores of K keys: 0, and -1e30 for padding. Null where there are no tokens. Of in-context networks the last
   * keys are the tokens of the picture.
   */
  readonly keyBias: Tensor | null
}

/** What `forward` is told of conditions: made by `conditionInputs`. */
export interface ConditionInputs {
  /** B */
  readonly count: number
  embed(config: DiTConfig, param: ReadParameter, backend: Backend, trace: Trace): EmbeddedConditions
}

/** Its exponential is 0 in every precision, and it is finite. */
const NEVER = -1e30

/**
 * Conditions of a batch, checked, for `forward`.
 *
 *     forward(config, params, { xt, timesteps, conditions: conditionInputs(config, { caption: { data, lengths } }, 8) })
 *
 * A vector is embedded as Linear(SiLU(Linear(x))), a label as its row of a table; both are added to the conditioning vector, and are keys of
 * cross-attention or tokens in context. Tokens, each Linear(x), are such keys or tokens alone; padding gets no weight, and its values change
 * nothing. With `pooled` their mean, 0 of none, counts as a vector. A dropped condition is its learned null; dropped tokens are one token, the
 * null.
 *
 * @param values for each condition of the configuration, by name
 * @param count  B, examples
 * @throws RangeError that names the condition: one that is missing or not known, a wrong number of values or a value that is not finite, a class
 *   that there is not, more than `most` tokens, a length above M, a null of a condition that was never dropped in training
 *
 * Ho & Salimans 2022, "Classifier-Free Diffusion Guidance" (nulls); Peebles & Xie 2022, section 3.2 (cross-attention).
 */
export function conditionInputs(
  config: DiTConfig,
  values: Readonly<Record<string, ConditionValues>>,
  count: number,
): ConditionInputs {
  const specs = config.conditions ?? []
  if (config.conditions === undefined)
    throw new RangeError('conditionInputs: the configuration has no conditions, but a label')
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`conditionInputs: count must be a positive integer (got ${count})`)
  }
  const unknown = Object.keys(values).find((name) => !specs.some((spec) => spec.name === name))
  if (unknown !== undefined) {
    const known = specs.map(({ name }) => name).join(', ')
    throw new RangeError(
      `conditionInputs: there is no condition ${unknown} (there are: ${known === '' ? 'none' : known})`,
    )
  }
  const checked = specs.map((spec) => checkedValues(spec, values, count))
  return {
    count,
    embed(other, param, backend, trace) {
      if (JSON.stringify(other.conditions) !== JSON.stringify(specs)) {
        throw new RangeError('conditionInputs: the inputs must be made for the configuration that reads them')
      }
      const numLast = other.block === 'in-context' ? numTokens(other) : 0
      return embedded(specs, checked, { count, numLast, param, backend, trace })
    },
  }
}

/** Values of one condition that fit it. */
interface Checked {
  readonly data: ArrayLike<number>
  /** M of tokens, else 1. */
  readonly slots: number
  /** Tokens that count: dropped ones are one. */
  readonly lengths: readonly number[]
  readonly isNull: readonly boolean[]
}

function checkedValues(spec: ConditionSpec, values: Readonly<Record<string, ConditionValues>>, count: number): Checked {
  const { name } = spec
  const fail = (text: string): never => {
    throw new RangeError(`conditionInputs: ${name} ${text}`)
  }
  const given = Object.hasOwn(values, name) ? values[name] : fail('is missing')
  const { data } = given
  const isNull = Array.from({ length: count }, (_, i) => given.isNull?.[i] === true)
  if (given.isNull !== undefined && given.isNull.length !== count) {
    fail(`must have ${count} entries of isNull, one for each example (got ${given.isNull.length})`)
  }
  if (spec.dropout === 0 && isNull.includes(true)) {
    fail('was never dropped in training (its dropout is 0), so there is no null of it and no guidance by it')
  }
  if (spec.kind !== 'tokens' && given.lengths !== undefined) fail(`is a ${spec.kind}, which has no lengths`)
  const size = spec.kind === 'label' ? 1 : spec.size
  const slots = spec.kind === 'tokens' ? data.length / (count * size) : 1
  if (spec.kind === 'tokens' && !(Number.isInteger(slots) && slots >= 1 && slots <= spec.most)) {
    fail(
      `must be ${count} examples of 1 to ${spec.most} tokens of ${size} numbers (got ${data.length} numbers, ${slots} tokens)`,
    )
  }
  if (data.length !== count * slots * size) {
    fail(`must be ${count} examples of ${size} numbers (got ${data.length} numbers, ${data.length / count} each)`)
  }
  for (let i = 0; i < data.length; i++) {
    if (spec.kind === 'label') {
      const isClass = Number.isInteger(data[i]) && data[i] >= 0 && data[i] < spec.classes
      if (!isClass) fail(`must be classes in 0..${spec.classes - 1} (number ${i} is ${data[i]})`)
    } else if (!Number.isFinite(data[i])) fail(`must be finite (number ${i} is ${data[i]})`)
  }
  const lengths = lengthsOf(spec, given, slots, count, fail).map((length, i) => (isNull[i] ? 1 : length))
  return { data, slots, lengths, isNull }
}

function lengthsOf(
  { kind }: ConditionSpec,
  { lengths }: ConditionValues,
  slots: number,
  count: number,
  fail: (text: string) => never,
): number[] {
  if (kind !== 'tokens') return []
  if (lengths?.length !== count)
    return fail(`must have ${count} lengths, one for each example (got ${lengths?.length ?? 'none'})`)
  return Array.from(lengths, (length, i) => {
    const fits = Number.isInteger(length) && length >= 0 && length <= slots
    return fits ? length : fail(`must have lengths in 0..${slots}, its tokens (length ${i} is ${length})`)
  })
}

interface Place {
  readonly count: number
  /** Keys behind those of conditions. */
  readonly numLast: number
  readonly param: ReadParameter
  readonly backend: Backend
  readonly trace: Trace
}

function embedded(specs: readonly ConditionSpec[], all: readonly Checked[], place: Place): EmbeddedConditions {
  const vectors: Tensor[] = []
  const lists: Tensor[] = []
  for (const [i, spec] of specs.entries()) {
    const made = scope(() => embedOne(spec, all[i], place))
    place.trace(`y_emb.${spec.name}`, made)
    if (spec.kind !== 'tokens') vectors.push(made)
    else {
      lists.push(made)
      if (spec.pooled === true) vectors.push(scope(() => pooled(made, all[i], place)))
    }
  }
  if (lists.length === 0) return { vectors, tokens: null, keyBias: null }
  return {
    vectors,
    tokens: lists.length === 1 ? lists[0] : concat(lists, 1), // [B, M, D]
    keyBias: keyBias(
      1 + vectors.length,
      all.filter((_, i) => specs[i].kind === 'tokens'),
      place,
    ),
  }
}

/** `[B, D]`, or `[B, M, D]` for tokens. */
function embedOne(spec: ConditionSpec, { data, slots, isNull }: Checked, { count, param, backend }: Place): Tensor {
  const of = (name: string) => param(`y_embedder.${spec.name}.${name}`)
  if (spec.kind === 'label') {
    const rows = Int32Array.from(data, (label, i) => (isNull[i] ? spec.classes : label))
    return labelEmbedding(rows, of('embedding_table.weight'))
  }
  const x = tensor(Float32Array.from(data), [count * slots, spec.size], { backend })
  const made =
    spec.kind === 'vector'
      ? linear(silu(linear(x, of('mlp.0.weight'), of('mlp.0.bias'))), of('mlp.2.weight'), of('mlp.2.bias'))
      : linear(x, of('proj.weight'), of('proj.bias')) // [B M, D]
  const rows = spec.dropout > 0 ? withNulls(made, of('null'), isNull, slots) : made
  return spec.kind === 'vector' ? rows : reshape(rows, [count, slots, rows.shape[1]])
}

/** Rows `[B M, D]` with the null `[1, D]` in place of those of dropped examples. */
function withNulls(rows: Tensor, nothing: Tensor, isNull: readonly boolean[], slots: number): Tensor {
  const [R] = rows.shape
  const chosen = Int32Array.from({ length: R }, (_, row) => (isNull[Math.floor(row / slots)] ? R : row))
  return gather(concat([rows, nothing], 0), tensor(chosen, [R], { backend: rows.backend }))
}

/** Mean of the tokens that count, `[B, D]`; 0 where there are none. */
function pooled(tokens: Tensor, { slots, lengths }: Checked, { count, backend }: Place): Tensor {
  const weights = new Float32Array(count * slots)
  for (const [b, length] of lengths.entries()) weights.fill(1 / length, b * slots, b * slots + length)
  return sum(mul(tokens, tensor(weights, [count, slots, 1], { backend })), [1])
}

/** `[B, 1, 1, first + M + numLast]`: which keys of each example are padding. */
function keyBias(first: number, lists: readonly Checked[], { count, numLast, backend }: Place): Tensor {
  const keys = lists.reduce((sum, { slots }) => sum + slots, first + numLast)
  const values = new Float32Array(count * keys)
  for (let b = 0; b < count; b++) {
    let at = b * keys + first
    for (const { slots, lengths } of lists) {
      values.fill(NEVER, at + lengths[b], at + slots)
      at += slots
    }
  }
  return tensor(values, [count, 1, 1, keys], { backend })
}
