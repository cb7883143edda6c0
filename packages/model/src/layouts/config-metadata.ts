import type { TensorFile } from '@dit/checkpoint'
import { checkConfig, type DiTConfig } from '../config.js'

/** Under what name a safetensors file keeps the configuration of its model. */
export const CONFIG_KEY = 'dit.config'

/** Metadata for a safetensors file that says the configuration of its model. */
export function configMetadata(config: DiTConfig): Record<string, string> {
  return { format: 'pt', [CONFIG_KEY]: JSON.stringify(config) }
}

/**
 * The configuration in a safetensors file's metadata, or null.
 *
 * @throws RangeError or TypeError when it is none
 */
export function configFromMetadata(file: TensorFile): DiTConfig | null {
  const { metadata } = file as TensorFile & { readonly metadata?: Readonly<Record<string, string>> }
  const text = metadata?.[CONFIG_KEY]
  if (text === undefined) return null
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch {
    throw new RangeError(`weights: the metadata ${CONFIG_KEY} must be JSON`)
  }
  if (typeof config !== 'object' || config === null) {
    throw new RangeError(`weights: the metadata ${CONFIG_KEY} must be a configuration`)
  }
  checkConfig(config as DiTConfig)
  return config as DiTConfig
}
