import { type CompleteProcess, completeProcess } from '@dit/diffusion'
import { checkConfig, type DiTConfig } from '@dit/model'
import { isKnownSpec, type LowRankSpec, specFromVersion1, type Version1 } from '@dit/train-ddp'
import { OpenError } from '../option-error.js'

/** Formats of a run's `config.json`: the present one first. */
export const RUN_FORMATS = ['dit-run-2', 'dit-run-1'] as const

/** What sampling must know of a run. */
export interface RunDescription {
  readonly config: DiTConfig
  readonly process: CompleteProcess
  readonly classNames: readonly string[]
  /** Of a run on latents: the folder that they were read from. */
  readonly latents: string | null
  /** Of a run that trained low-rank adapters: what they are, and what the weights are that they adapt. */
  readonly lora: RunAdapters | null
}

export interface RunAdapters extends LowRankSpec {
  /** `weightsDigest` of the tensors that are as they were in the weights which the run began from. */
  readonly kept: string | null
  /** Names of the others. */
  readonly replaced: readonly string[]
}

/**
 * Whether a parsed `config.json` is that of a run.
 */
export function isRunConfig(json: unknown): json is Readonly<Record<string, unknown>> {
  const format = (json as { format?: unknown } | null)?.format
  return (RUN_FORMATS as readonly unknown[]).includes(format)
}

/**
 * What a run's `config.json` says of its model.
 *
 * @param json parsed
 * @param place of the file, for messages
 * @throws OpenError where it is damaged, or the run trains what a module of its own makes
 */
export function describeRunConfig(json: Readonly<Record<string, unknown>>, place: string): RunDescription {
  const { classes, data } = json
  try {
    const objective =
      json['format'] === RUN_FORMATS[1] ? specFromVersion1(json as unknown as Version1) : json['objective']
    if (typeof objective !== 'object' || objective === null) throw new RangeError('"objective" must be an object')
    if (!isKnownSpec(objective)) {
      throw new OpenError(
        place,
        `the run trains the objective of ${moduleOf(objective)}, and only your own code can build its network; give that objective as \`objective\``,
      )
    }
    const { config } = objective.network
    checkConfig(config)
    const isNamed = Array.isArray(classes) && classes.every((name) => typeof name === 'string')
    // Conditions stand in place of the class.
    const isTold = config.conditions !== undefined
    if (!isNamed || (!isTold && classes.length !== config.numClasses)) {
      throw new RangeError(`"classes" must be ${config.numClasses} names, one for each class`)
    }
    return {
      config,
      process: completeProcess(objective.process),
      classNames: isTold ? [] : classes,
      latents: latentsOf(data),
      lora: adaptersOf(objective.network.lora, json['from']),
    }
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) throw new OpenError(place, cause.message, { cause })
    throw cause
  }
}

/** What sampling must know of a run whose network a module makes. */
export interface OwnRunDescription {
  readonly spec: unknown
  readonly classNames: readonly string[]
  /** Of a run on latents: the folder that they were read from. */
  readonly latents: string | null
}

/**
 * What a run's `config.json` says of an objective that a module makes; null where it trains a DiT.
 *
 * @throws OpenError where it is damaged
 */
export function describeOwnRun({ objective, classes, data }: Readonly<Record<string, unknown>>, place: string) {
  const { kind, spec } = (objective ?? {}) as { kind?: unknown; spec?: unknown }
  if (kind !== 'module') return null
  const isNamed = Array.isArray(classes) && classes.every((name) => typeof name === 'string')
  if (!isNamed) throw new OpenError(place, '"classes" must be a list of names')
  return { spec, classNames: classes, latents: latentsOf(data) } satisfies OwnRunDescription
}

function adaptersOf(lora: LowRankSpec | undefined, from: unknown): RunAdapters | null {
  if (lora === undefined) return null
  const { kept, replaced } = (from ?? {}) as Partial<RunAdapters>
  const isNamed = Array.isArray(replaced) && replaced.every((name) => typeof name === 'string')
  if (!isNamed) throw new RangeError('"from.replaced" must be a list of names')
  return { ...lora, kept: typeof kept === 'string' ? kept : null, replaced }
}

function moduleOf(objective: object): string {
  const { module } = objective as { module?: unknown }
  return typeof module === 'string' ? module : 'a module'
}

function latentsOf(data: unknown): string | null {
  const { kind, folder } = (data ?? {}) as { kind?: unknown; folder?: unknown }
  return kind === 'latents' && typeof folder === 'string' ? folder : null
}
