import {
  type ConditionInputs,
  conditionInputs,
  type ConditionSpec,
  type ConditionValues,
  type DiTConfig,
  forward,
} from '@dit/model'
import { randomStream, uniforms } from '@dit/random'
import type { BatchArray, TrainBatch } from '../batch.js'
import { type DiTSpec, ditParts } from './dit.js'
import type { Network } from './network.js'
import type { Place } from './objective.js'

/** A DiT that is told conditions. */
export type ConditionalDiT = Network<ConditionInputs> & { readonly spec: DiTSpec }

/**
 * A DiT with `conditions` in its configuration, as a network to train. Batches hold `x0` and an array of the name of each condition:
 *
 * - label: Int32Array, examples of shape `[]`
 * - vector: Float32Array, examples of `[size]`
 * - tokens: Float32Array, examples of `[M, size]`, M the same for all and at most `most`; and `<name>.length`, an Int32Array with examples of
 *   `[]`: how many of the M there are
 *
 * In training each condition is dropped by itself: for the example in row r of the global batch where uniform r of the stream
 * `dropout/<name>` of the seed and step is below its dropout. That does not depend on micro-batches and workers.
 *
 * @throws RangeError or TypeError for a configuration that cannot be, or without `conditions`
 *
 * Ho & Salimans 2022, algorithm 1; Brooks et al. 2023, "InstructPix2Pix", section 3.2.1 (several conditions, each dropped).
 */
export function conditionalDiT(config: DiTConfig): ConditionalDiT {
  const specs = config.conditions
  if (specs === undefined)
    throw new RangeError('conditionalDiT: the configuration has no conditions, but a label; use dit')
  return {
    ...ditParts(config, { kind: 'dit' as const, config }),
    conditions: (batch, at) =>
      conditionInputs(
        config,
        Object.fromEntries(specs.map((spec) => [spec.name, valuesOf(spec, batch, at)])),
        batch.count,
      ),
    forward: (params, { xt, timesteps, conditions }, options) =>
      forward(config, params, { xt, timesteps, conditions }, options),
  }
}

/**
 * The same network told one of some prompts: class i is prompt i, so that whatever samples classes, such as `openPipeline` of
 * @dit/pipeline, samples prompts. Guidance leads away from the null of all conditions at once; there is none unless every condition was
 * dropped in training.
 *
 * @param prompts values of each condition, as `conditionInputs` of @dit/model takes them
 * @param count   prompts that there are
 * @throws RangeError as `conditionInputs`
 *
 * @example
 * const network = withPrompts(config, { caption: { data, lengths } }, 4)
 * const pipeline = await openPipeline({ network, params, process, classNames }, { backend })
 */
export function withPrompts(
  config: DiTConfig,
  prompts: Readonly<Record<string, ConditionValues>>,
  count: number,
): ConditionalDiT {
  const network = conditionalDiT(config)
  conditionInputs(config, prompts, count)
  const specs = config.conditions!
  const nullLabel = specs.length > 0 && specs.every(({ dropout }) => dropout > 0) ? count : null
  const ofPrompts = ({ data, lengths, isNull }: ConditionValues, labels: Int32Array): ConditionValues => {
    const size = data.length / count
    const rows = Array.from(labels, (label) => (label === nullLabel ? 0 : label))
    return {
      data: rows.flatMap((row) => Array.from({ length: size }, (_, i) => data[row * size + i])),
      lengths: lengths === undefined ? undefined : rows.map((row) => lengths[row]),
      isNull: rows.map((row, i) => labels[i] === nullLabel || isNull?.[row] === true),
    }
  }
  const conditions = (labels: Int32Array) => {
    const wrong = labels.find((label) => label < 0 || label >= count + (nullLabel === null ? 0 : 1))
    if (wrong !== undefined) throw new RangeError(`withPrompts: there are ${count} prompts (got number ${wrong})`)
    const values = specs.map(({ name }) => [name, ofPrompts(prompts[name], labels)] as const)
    return conditionInputs(config, Object.fromEntries(values), labels.length)
  }
  return { ...network, classes: { numClasses: count, nullLabel, conditions } }
}

function valuesOf(
  spec: ConditionSpec,
  { arrays, count }: TrainBatch,
  at: Pick<Place, 'seed' | 'step' | 'start'> | null,
): ConditionValues {
  const { name, kind, dropout } = spec
  const array = arrayOf(arrays, name, kind === 'label' ? Int32Array : Float32Array)
  const { shape } = array
  const fits =
    kind === 'label' ? shape.length === 0 : shape.length === (kind === 'vector' ? 1 : 2) && shape.at(-1) === spec.size
  if (!fits) {
    const wanted = kind === 'label' ? '[]' : kind === 'vector' ? `[${spec.size}]` : `[M, ${spec.size}]`
    throw new RangeError(`train: ${name} must hold examples of ${wanted} (got examples of [${shape.join(', ')}])`)
  }
  const lengths = kind === 'tokens' ? arrayOf(arrays, `${name}.length`, Int32Array).data : undefined
  return { data: array.data, lengths, isNull: at === null || dropout === 0 ? undefined : dropped(spec, count, at) }
}

function arrayOf(
  arrays: TrainBatch['arrays'],
  name: string,
  kind: typeof Int32Array | typeof Float32Array,
): BatchArray {
  const array = Object.hasOwn(arrays, name) ? arrays[name] : undefined
  if (array?.data instanceof kind) return array
  const came = array === undefined ? `only ${Object.keys(arrays).join(', ')}` : array.data.constructor.name
  throw new TypeError(`train: a batch must hold ${name}, a condition, as ${kind.name} (got ${came})`)
}

function dropped(
  { name, dropout }: ConditionSpec,
  count: number,
  { seed, step, start }: Pick<Place, 'seed' | 'step' | 'start'>,
): boolean[] {
  const threshold = Math.fround(dropout)
  return Array.from(uniforms(randomStream(seed, `dropout/${name}`, step), count, start), (draw) => draw < threshold)
}
