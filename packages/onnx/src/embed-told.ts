import type { ConditionInputs, ConditionSpec, DiTConfig } from '@dit/model'
import {
  add,
  affine,
  cast,
  concat,
  div,
  greater,
  less,
  linear,
  maximum,
  mul,
  reshape,
  silu,
  sum,
  tensor,
  type Tensor,
  where,
  zeros,
} from '@dit/tensor'
import { tokenGrid } from '@dit/tokenizer'
import { rowsOfTable } from './rows-of-table.js'
import { type AllTold, specsOf, type Told } from './told-inputs.js'
import type { Tracing } from './tracing/values.js'

/** Added to scores of padding, as @dit/model does. */
const NEVER = -1e30

/**
 * What `forward` reads of a label or of conditions, from values of a graph: embedded as `conditionInputs` of @dit/model embeds arrays.
 *
 * @param batch the number in place of the batch
 */
export function tracedConditions(traced: Tracing, told: AllTold, batch: number): ConditionInputs {
  return {
    count: batch,
    embed(config, param) {
      const vectors: Tensor[] = []
      const lists: Tensor[] = []
      const counts: Tensor[] = []
      for (const spec of specsOf(config)) {
        const place: Place = { traced, batch, of: (name) => param(`${prefixOf(config, spec)}.${name}`) }
        const given = told.get(spec.name)!
        if (spec.kind === 'label') {
          const rows = spec.classes + (spec.dropout > 0 ? 1 : 0)
          const table = { name: `${prefixOf(config, spec)}.embedding_table.weight`, rows, width: config.hiddenSize }
          vectors.push(traced.tensor(rowsOfTable(traced.graph, table, given.data), [batch, config.hiddenSize]))
        } else if (spec.kind === 'vector') vectors.push(embedVector(spec, given, place))
        else {
          const { tokens, counting } = embedTokens(spec, given, place)
          lists.push(tokens)
          counts.push(counting)
          if (spec.pooled === true) vectors.push(meanOf(tokens, counting))
        }
      }
      if (lists.length === 0) return { vectors, tokens: null, keyBias: null }
      const numTokens = tokenGrid(config.inputSize, config.patchSize).reduce((rows, columns) => rows * columns)
      // The timestep and vectors count for all examples, and in context the tokens of the picture.
      const always = (keys: number) => zeros([batch, keys], { backend: traced.backend })
      const last = config.block === 'in-context' ? [always(numTokens)] : []
      const padding = counts.map((counting) => affine(counting, -NEVER, NEVER))
      const bias = concat([always(1 + vectors.length), ...padding, ...last], 1)
      return { vectors, tokens: concat(lists, 1), keyBias: reshape(bias, [batch, 1, 1, bias.shape[1]]) }
    },
  }
}

interface Place {
  readonly traced: Tracing
  readonly batch: number
  /** The condition's parameters. */
  readonly of: (name: string) => Tensor
}

function prefixOf({ conditions }: DiTConfig, { name }: ConditionSpec): string {
  return conditions === undefined ? 'y_embedder' : `y_embedder.${name}`
}

/** A value, or where a condition is dropped another. */
function unlessNull({ isNull }: Told, { traced, batch }: Place, value: Tensor, nothing: () => Tensor): Tensor {
  if (isNull === undefined) return value
  const mask = reshape(
    traced.tensor(isNull, [batch], 'i32'),
    value.shape.map((extent, axis) => (axis === 0 ? extent : 1)),
  )
  return where(mask, nothing(), value)
}

/** `[B, D]` */
function embedVector(spec: ConditionSpec & { kind: 'vector' }, told: Told, place: Place): Tensor {
  const { traced, batch, of } = place
  const hidden = silu(linear(traced.tensor(told.data, [batch, spec.size]), of('mlp.0.weight'), of('mlp.0.bias')))
  return unlessNull(told, place, linear(hidden, of('mlp.2.weight'), of('mlp.2.bias')), () => of('null'))
}

/** `tokens` `[B, most, D]`, and `counting` `[B, most]`: 1 for those that count and 0 for padding. */
function embedTokens(spec: ConditionSpec & { kind: 'tokens' }, told: Told, place: Place) {
  const { traced, batch, of } = place
  const { backend } = traced
  const rows = linear(traced.tensor(told.data, [batch, spec.most, spec.size]), of('proj.weight'), of('proj.bias'))
  const lengths = cast(traced.tensor(told.length!, [batch], 'i32'), backend.float)
  const valid = unlessNull(told, place, lengths, () => tensor([1], [1], { backend })) // of dropped tokens one
  const places = tensor(
    Float32Array.from({ length: spec.most }, (_, i) => i),
    [1, spec.most],
    { backend },
  )
  // A length that cannot be makes everything NaN, as labels do where the runtime does not check: 0 / 0.
  const bound = (value: number) => tensor([value], [1], { backend })
  const isWrong = add(less(lengths, bound(0)), greater(lengths, bound(spec.most)))
  const nanIfWrong = div(bound(0), affine(isWrong, -1, 1)) // [B]
  const tokens = unlessNull(told, place, rows, () => of('null'))
  return {
    tokens: add(tokens, reshape(nanIfWrong, [batch, 1, 1])),
    counting: less(places, reshape(valid, [batch, 1])),
  }
}

/** Mean of the tokens that count, `[B, D]`; 0 where there are none. */
function meanOf(tokens: Tensor, counting: Tensor): Tensor {
  const { backend, shape } = counting
  const most = maximum(sum(counting, [1], { keepDims: true }), tensor([1], [1], { backend })) // [B, 1]
  return sum(mul(tokens, reshape(div(counting, most), [...shape, 1])), [1])
}
