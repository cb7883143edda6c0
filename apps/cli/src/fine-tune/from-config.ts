import type { DiTConfig } from '@dit/model'
import { adapterShapes, parameterShapes } from '@dit/model'
import type { LowRankSpec } from '@dit/train-ddp'

/** What `config.json` keeps of the weights that a run began from. */
export interface FromConfig {
  /** As it was given. */
  readonly source: string
  /** What it was, such as `runs/a, step 2000, averaged weights`. */
  readonly title: string
  /** `weightsDigest` of all weights of the source. */
  readonly sha256: string
  /** The same of those that the run took as they were. */
  readonly kept: string
  /** Names of the others. */
  readonly replaced: readonly string[]
  /** `weightsDigest` of what the run began with, which lies in its folder until a checkpoint does. */
  readonly start: string
  /** What became of classes, positions and the final layer, in lines for the user. */
  readonly changes: readonly string[]
  /** Options of fine-tuning as they were given. */
  readonly given: Readonly<Record<string, unknown>>
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Checks what a run's `config.json` says of the weights that it began from, and of adapters.
 *
 * @throws RangeError that names the field
 */
export function checkFrom(config: Fields, network: Fields, model: DiTConfig): void {
  const { from } = config
  const { lora } = network
  if (from !== undefined) {
    const fields = object('from', from)
    for (const name of ['source', 'title', 'sha256', 'kept', 'start']) {
      if (typeof fields[name] !== 'string') throw wrong(`from.${name}`, 'text', fields[name])
    }
    for (const name of ['replaced', 'changes']) {
      const list = fields[name]
      const isList = Array.isArray(list) && list.every((each) => typeof each === 'string')
      if (!isList) throw wrong(`from.${name}`, 'a list of texts', list)
    }
    object('from.given', fields['given'])
  }
  if (lora === undefined) return
  if (from === undefined) throw wrong('from', 'there, since the run trains adapters', from)
  const { trained } = object('objective.network.lora', lora)
  if (trained !== null && typeof trained !== 'string') {
    throw wrong('objective.network.lora.trained', 'a regular expression, or null', trained)
  }
  try {
    adapterShapes(parameterShapes(model), lora as LowRankSpec)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new RangeError(`"objective.network.lora" has no regular expression: ${cause.message}`, { cause })
  }
}

function object(field: string, value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw wrong(field, 'an object', value)
}

function wrong(field: string, what: string, value: unknown): RangeError {
  const came = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60)
  return new RangeError(`"${field}" must be ${what} (got ${came})`)
}
