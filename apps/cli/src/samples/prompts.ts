import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { ConditionSpec, DiTConfig } from '@dit/model'
import type { OpenModel, Prompted } from '@dit/pipeline'
import { guidedPrompts } from '@dit/pipeline/node'
import { type TrainBatch, withPrompts } from '@dit/train-ddp'
import { ConditionsError, type ConditionsFile, openConditions } from '@dit/train-ddp/node'
import { promptsOf } from '../run/grid-prompts.js'
import { flagOf } from '../settings/flag-of.js'
import { byName } from '../settings/values.js'
import { checkInput, UsageError } from '../terminal/errors.js'
import type { SampleFlags } from './sample-settings.js'

/** What `--conditions` holds: prompts in the place of classes. */
export interface Prompts {
  /** What pictures are called: the files that their rows are for, or numbers. */
  readonly classNames: readonly string[]
  /** SHA-256 over all that they say. */
  readonly sha256: string
  readonly prompted: Prompted
}

/** Options of guidance that know one scale. */
const OF_ONE_SCALE = ['guidanceChannels', 'guidanceInterval', 'guidanceRescale', 'guide', 'nullClass'] as const

/**
 * Reads the prompts of `--conditions`; null without the flag.
 *
 * @throws UsageError for a file that is missing or cannot serve, and for options that need it or do not go with it
 */
export async function openPrompts(flags: SampleFlags): Promise<Prompts | null> {
  const { conditions: path, guidance = 1 } = flags
  const scales = byName(guidance)
  if (path === undefined) {
    if (scales === null) return null
    throw new UsageError(`--guidance ${guidance}: scales by name need --conditions, the file of what is told`)
  }
  const stray = scales === null ? undefined : OF_ONE_SCALE.find((name) => flags[name] !== undefined)
  if (stray !== undefined) {
    throw new UsageError(`${flagOf(stray)} goes with one scale of guidance, not with --guidance ${guidance}`)
  }
  if ((await stat(path).catch(() => null))?.isFile() !== true)
    throw new UsageError(`--conditions ${path}: no such file`)
  const file = await openConditions(path).catch(asUsage)
  try {
    const names = file.conditions.map(({ name }) => name)
    const rows = Uint32Array.from({ length: file.length }, (_, i) => i)
    if (rows.length === 0) throw new UsageError(`--conditions ${path}: it has no rows, so there is nothing to draw`)
    const arrays = await file.read(names, rows)
    return {
      classNames: file.files ?? Array.from(rows, String),
      sha256: digestOf(arrays),
      prompted: (config) => networkOf(config, file, arrays, scales),
    }
  } catch (error) {
    return asUsage(error)
  } finally {
    await file.close()
  }
}

function networkOf(
  config: DiTConfig,
  file: ConditionsFile,
  arrays: TrainBatch['arrays'],
  scales: ReadonlyMap<string, number> | null,
) {
  const specs: readonly ConditionSpec[] = config.conditions!
  try {
    file.requireFit(specs)
  } catch (error) {
    asUsage(error)
  }
  const prompts = promptsOf(specs, { arrays })
  return checkInput(
    () =>
      scales === null
        ? withPrompts(config, prompts, file.length)
        : guidedPrompts(config, prompts, file.length, Object.fromEntries(scales)),
    (message) => message.replace(/^guidedPrompts:/, '--guidance:'),
  )
}

/** Options with those of prompts: each is drawn once, in order. */
export function promptFlags(flags: SampleFlags): SampleFlags {
  const counted = flags.count === undefined && flags.total === undefined ? { count: 1 } : {}
  return { classes: 'all', ...counted, ...flags }
}

/**
 * A model whose classes have the names of prompts; as it was without these.
 *
 * @throws UsageError for a model that is told classes
 */
export function withPromptNames(model: OpenModel, prompts: Prompts | null): OpenModel {
  if (prompts === null) return model
  const { name, description } = model
  if (description.network?.conditions !== undefined) return { ...model, from: 'model', names: prompts.classNames }
  throw new UsageError(
    `--conditions is for networks that are told conditions, but ${name} is told classes; give --classes`,
  )
}

function digestOf(arrays: TrainBatch['arrays']): string {
  const hash = createHash('sha256')
  for (const [name, { data, shape }] of Object.entries(arrays)) {
    hash.update(`${name} ${shape.join(' ')}\n`)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash.digest('hex')
}

function asUsage(error: unknown): never {
  if (error instanceof ConditionsError) throw new UsageError(error.message, { cause: error })
  throw error
}
