import type { TensorFile } from '@dit/checkpoint'
import { checkConfig, type DiTConfig } from '../config.js'
import { type ProcessDescription, type Program, PROGRAMS } from './program.js'

/** Under what name a safetensors file keeps the configuration of its model. */
export const CONFIG_KEY = 'dit.config'

/** Under what names it keeps the process that the model was trained on, and the program that trained it. */
const PROCESS_KEY = 'dit.process'
const PROGRAM_KEY = 'dit.program'

/** What a safetensors file says of its model beside the configuration, where it is known. */
export interface TrainedOn {
  readonly process: ProcessDescription | null
  readonly program: Program | null
}

/** Metadata for a safetensors file that says the configuration of its model, and on which process it was trained. */
export function configMetadata(
  config: DiTConfig,
  { process = null, program = null }: Partial<TrainedOn> = {},
): Record<string, string> {
  return {
    format: 'pt',
    [CONFIG_KEY]: JSON.stringify(config),
    ...(process === null ? {} : { [PROCESS_KEY]: JSON.stringify(process) }),
    ...(program === null ? {} : { [PROGRAM_KEY]: program }),
  }
}

/**
 * The configuration in a safetensors file's metadata, or null.
 *
 * @throws RangeError or TypeError when it is none
 */
export function configFromMetadata(file: TensorFile): DiTConfig | null {
  const config = objectIn(file, CONFIG_KEY, 'a configuration')
  if (config === null) return null
  checkConfig(config as DiTConfig)
  return config as DiTConfig
}

/**
 * The process and the program in a safetensors file's metadata. Settings of the process are not checked here.
 *
 * @throws RangeError where the metadata are no process, or name no known program
 */
export function trainedOnFromMetadata(file: TensorFile): TrainedOn {
  const process = objectIn(file, PROCESS_KEY, 'a process') as ProcessDescription | null
  if (process !== null && typeof process.kind !== 'string') {
    throw new RangeError(`weights: the metadata ${PROCESS_KEY} must be a process with a kind`)
  }
  const program = metadataOf(file)[PROGRAM_KEY]
  if (program === undefined) return { process, program: null }
  const known = PROGRAMS.find((name) => name === program)
  if (known !== undefined) return { process, program: known }
  throw new RangeError(
    `weights: the metadata ${PROGRAM_KEY} must be one of ${PROGRAMS.join(', ')} (got ${JSON.stringify(program).slice(0, 60)})`,
  )
}

function objectIn(file: TensorFile, key: string, what: string): object | null {
  const text = metadataOf(file)[key]
  if (text === undefined) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new RangeError(`weights: the metadata ${key} must be JSON`)
  }
  if (typeof value === 'object' && value !== null) return value
  throw new RangeError(`weights: the metadata ${key} must be ${what}`)
}

function metadataOf(file: TensorFile): Readonly<Record<string, string>> {
  return (file as TensorFile & { readonly metadata?: Readonly<Record<string, string>> }).metadata ?? {}
}
