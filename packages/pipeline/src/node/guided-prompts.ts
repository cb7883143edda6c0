import { conditionInputs, type ConditionValues, type DiTConfig } from '@dit/model'
import { guidedByConditions, type Timesteps } from '@dit/sampler'
import { type Network, withPrompts } from '@dit/train-ddp'

/**
 * A DiT told one of some prompts, as `withPrompts` of @dit/train-ddp makes it, whose output is guided by each condition with a scale of its own:
 * `guidedByConditions` of @dit/sampler. Conditions without a scale are told every time. The guidance lies in the network, so that the
 * pipeline's own, `guidance`, stays 1.
 *
 * @param prompts values of each condition, for `count` prompts
 * @param scales  by condition: 0 leaves it out, 1 is as trained
 * @throws RangeError for a condition that is not known, or that was never dropped in training; else as `withPrompts`
 *
 * @example
 * const prompted = (config) => guidedPrompts(config, prompts, 4, { caption: 4, style: 1.5 })
 * const model = await openModel('runs/photos', { prompted })
 */
export function guidedPrompts(
  config: DiTConfig,
  prompts: Readonly<Record<string, ConditionValues>>,
  count: number,
  scales: Readonly<Record<string, number>>,
): Network<Int32Array> {
  const network = withPrompts(config, prompts, count)
  const specs = config.conditions!
  for (const name of Object.keys(scales)) {
    const spec = specs.find((each) => each.name === name)
    if (spec === undefined) {
      const known = specs.map((each) => each.name).join(', ')
      throw new RangeError(`guidedPrompts: there is no condition ${name} to guide by (there are: ${known})`)
    }
    if (spec.dropout === 0) {
      throw new RangeError(
        `guidedPrompts: ${name} was never dropped in training (its dropout is 0), so there is no guidance by it`,
      )
    }
  }
  /** What is told of some prompts, with the null in place of guided conditions other than one. */
  const toldOf = (labels: Int32Array, only: string | null) => {
    const values = specs.map(({ name }) => {
      const isNull = Object.hasOwn(scales, name) && name !== only
      return [name, rowsOf(prompts[name], labels, count, isNull)] as const
    })
    return conditionInputs(config, Object.fromEntries(values), labels.length)
  }
  return {
    ...network,
    classes: { numClasses: count, nullLabel: null, conditions: (labels) => labels },
    // Only sampling calls it, with labels from `classes`.
    conditions: ({ arrays }) => arrays.labels.data as Int32Array,
    forward(params, { xt, timesteps, conditions: labels }, options) {
      const guided = guidedByConditions(
        (x, told, only) =>
          network.forward(params, { xt: x, timesteps: told, conditions: toldOf(labels, only) }, options),
        { scales },
      )
      return guided(xt, timesteps as Timesteps)
    },
  }
}

/** Prompts by number; null in place of all of them where `isNull`. */
function rowsOf(
  { data, lengths, isNull: own }: ConditionValues,
  labels: Int32Array,
  count: number,
  isNull: boolean,
): ConditionValues {
  const size = data.length / count
  const rows = Array.from(labels)
  return {
    data: rows.flatMap((row) => Array.from({ length: size }, (_, i) => data[row * size + i])),
    lengths: lengths === undefined ? undefined : rows.map((row) => lengths[row]),
    isNull: rows.map((row) => isNull || own?.[row] === true),
  }
}
