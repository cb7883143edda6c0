import type { Fail } from './error.js'

/**
 * Where an archive keeps strings beside the pickle: in the folder of torch's `_extra_files`. `torch.load` passes over it, so the pickle
 * stays a bare state dict.
 */
export const METADATA_ENTRY = 'extra/metadata.json'

/** Largest metadata that are read, in bytes. */
export const MAX_METADATA_BYTES = 2 ** 20

export function noMetadata(): Readonly<Record<string, string>> {
  return Object.freeze(Object.create(null) as Record<string, string>)
}

/** The strings of the entry: a JSON object. */
export function parseMetadata(bytes: Uint8Array, fail: Fail): Readonly<Record<string, string>> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw fail('must be JSON')
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw fail('must be a JSON object')
  const metadata = Object.create(null) as Record<string, string>
  for (const [key, value] of Object.entries(json)) {
    if (typeof value !== 'string') throw fail(`${JSON.stringify(key).slice(0, 60)} must be a string`)
    metadata[key] = value
  }
  return Object.freeze(metadata)
}

/**
 * The bytes of the entry.
 *
 * @throws TypeError on metadata that are not strings, RangeError beyond what is read
 */
export function metadataBytes(who: string, metadata: Readonly<Record<string, string>>): Uint8Array {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') throw new TypeError(`${who}: metadata ${JSON.stringify(key)} must be a string`)
  }
  const bytes = new TextEncoder().encode(JSON.stringify(metadata))
  if (bytes.length <= MAX_METADATA_BYTES) return bytes
  throw new RangeError(`${who}: metadata must be at most ${MAX_METADATA_BYTES} bytes (got ${bytes.length})`)
}
