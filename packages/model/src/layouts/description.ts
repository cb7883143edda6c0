import type { TensorFile } from '@dit/checkpoint'
import { checkConfig, type DiTConfig } from '../config.js'
import type { ProcessDescription, Program } from './program.js'
import { PROGRAMS } from './programs.js'

/** What a network's latents are of those that an autoencoder makes. */
export interface LatentScaling {
  /**
   * The network's latents are `scale (z - mean) / deviation`, z those of the autoencoder. A list has one number a channel; mean is 0 and
   * deviation 1 by default.
   */
  readonly scale: number
  readonly mean?: number | readonly number[]
  readonly deviation?: number | readonly number[]
}

/** What is known of a model beside its configuration; null where nothing tells. */
export interface About {
  readonly process: ProcessDescription | null
  readonly program: Program | null
  /** Name of each class, in the order of the labels. */
  readonly classNames: readonly string[] | null
  /** What black and white are in pictures, for a network of pixels. */
  readonly pixelRange: readonly [black: number, white: number] | null
  readonly latents: LatentScaling | null
}

/**
 * All that a file says of the model in it, so that pictures can be made from that file alone: plain data, which goes into every file that
 * is written and comes out of every reader.
 */
export interface Description extends About {
  readonly network: DiTConfig
}

/** Under what name a file keeps the configuration of its network. */
export const CONFIG_KEY = 'dit.config'

/** Under what names it keeps the rest, as JSON; the program is plain text. */
const KEYS = {
  process: 'dit.process',
  program: 'dit.program',
  classNames: 'dit.classes',
  pixelRange: 'dit.pixels',
  latents: 'dit.latents',
} as const satisfies Record<keyof About, string>

/** Most class names that are read. */
const MAX_CLASSES = 2 ** 20

/**
 * A description as strings, for the metadata of safetensors, torch's and ONNX files.
 *
 * @example
 * descriptionMetadata({ network: config, process: { kind: 'flow' }, classNames: ['disc', 'ring'] })
 */
export function descriptionMetadata({
  network,
  ...about
}: Pick<Description, 'network'> & Partial<About>): Record<string, string> {
  const metadata: Record<string, string> = { format: 'pt', [CONFIG_KEY]: JSON.stringify(network) }
  for (const name of Object.keys(KEYS) as (keyof About)[]) {
    const value = about[name]
    if (value !== undefined && value !== null)
      metadata[KEYS[name]] = typeof value === 'string' ? value : JSON.stringify(value)
  }
  return metadata
}

/**
 * The description in a file's metadata; null where there is no configuration.
 *
 * @throws RangeError or TypeError that names the entry which is wrong. Settings of the process are not checked here
 */
export function descriptionFromMetadata(metadata: Readonly<Record<string, string>>): Description | null {
  const network = configFromMetadata({ metadata })
  return network === null ? null : { network, ...aboutFromMetadata({ metadata }) }
}

type WithMetadata = Pick<TensorFile, 'metadata'>

/**
 * The configuration in a file's metadata, or null.
 *
 * @throws RangeError or TypeError when it is none
 */
export function configFromMetadata(file: WithMetadata): DiTConfig | null {
  const config = valueIn(file, CONFIG_KEY)
  if (config === null) return null
  requireObject(CONFIG_KEY, config, 'a configuration')
  checkConfig(config as DiTConfig)
  return config as DiTConfig
}

/** What else a file's metadata say of its model. */
export function aboutFromMetadata(file: WithMetadata): About {
  const process = valueIn(file, KEYS.process)
  if (process !== null) requireObject(KEYS.process, process, 'a process')
  if (process !== null && typeof (process as ProcessDescription).kind !== 'string') {
    throw new RangeError(`weights: the metadata ${KEYS.process} must be a process with a kind`)
  }
  return {
    process: process as ProcessDescription | null,
    program: programIn(file),
    classNames: classNamesIn(file),
    pixelRange: pixelRangeIn(file),
    latents: latentsIn(file),
  }
}

function programIn({ metadata = {} }: WithMetadata): Program | null {
  const program = metadata[KEYS.program]
  if (program === undefined) return null
  const known = PROGRAMS.find((name) => name === program)
  if (known !== undefined) return known
  throw new RangeError(
    `weights: the metadata ${KEYS.program} must be one of ${PROGRAMS.join(', ')} (got ${JSON.stringify(program).slice(0, 60)})`,
  )
}

function classNamesIn(file: WithMetadata): readonly string[] | null {
  const names = valueIn(file, KEYS.classNames)
  if (names === null) return null
  const isNamed = Array.isArray(names) && names.length <= MAX_CLASSES && names.every((name) => typeof name === 'string')
  if (!isNamed) throw new RangeError(`weights: the metadata ${KEYS.classNames} must be a list of names`)
  return names
}

function pixelRangeIn(file: WithMetadata): readonly [number, number] | null {
  const range = valueIn(file, KEYS.pixelRange)
  if (range === null) return null
  if (Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0] !== range[1]) {
    return [range[0] as number, range[1] as number]
  }
  throw new RangeError(`weights: the metadata ${KEYS.pixelRange} must be two different numbers, black and white`)
}

function latentsIn(file: WithMetadata): LatentScaling | null {
  const latents = valueIn(file, KEYS.latents)
  if (latents === null) return null
  requireObject(KEYS.latents, latents, 'the scaling of latents')
  const { scale, mean, deviation } = latents as Partial<Record<keyof LatentScaling, unknown>>
  const isNumbers = (value: unknown, holds: (x: unknown) => boolean) =>
    value === undefined || (Array.isArray(value) ? value.every(holds) : holds(value))
  const isPositive = (value: unknown) => typeof value === 'number' && value > 0 && value < Infinity
  if (isPositive(scale) && isNumbers(mean, Number.isFinite) && isNumbers(deviation, isPositive)) {
    return latents as LatentScaling
  }
  throw new RangeError(
    `weights: the metadata ${KEYS.latents} must have a scale above 0, finite means and deviations above 0`,
  )
}

function valueIn({ metadata = {} }: WithMetadata, key: string): unknown {
  const text = Object.hasOwn(metadata, key) ? metadata[key] : undefined
  if (text === undefined) return null
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new RangeError(`weights: the metadata ${key} must be JSON`)
  }
}

function requireObject(key: string, value: unknown, what: string): asserts value is object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  throw new RangeError(`weights: the metadata ${key} must be ${what}`)
}
