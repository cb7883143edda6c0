import { readExactly, type ByteSource } from '../byte-source.js'
import { quote } from '../quote.js'

/** An index of shards is not one, or does not fit its shards. The text names the file where known, and what is wrong. */
export class ShardsError extends Error {
  override readonly name = 'ShardsError'
}

/** Largest index that is read, in bytes: some 300,000 names. */
const MAX_INDEX_BYTES = 2 ** 25

/** Most files that tensors may be spread over. */
const MAX_SHARDS = 4096

/** Which file has each tensor. */
export interface ShardsIndex {
  readonly fileOf: ReadonlyMap<string, string>
  /** The files, each once, in the order of the index. */
  readonly files: readonly string[]
}

/**
 * Reads an index such as `model.safetensors.index.json`: `{ "weight_map": { name: file }, "metadata": {...} }`.
 *
 * @throws ShardsError where it is anything else, or names a file that is not beside it
 */
export async function readShardsIndex(source: ByteSource): Promise<ShardsIndex> {
  const fail = failFor(source.name)
  if (source.size > MAX_INDEX_BYTES) throw fail(`must be at most ${MAX_INDEX_BYTES} bytes (${source.size})`)
  const fileOf = new Map<string, string>()
  for (const [name, file] of Object.entries(
    weightMap(parse(await readExactly(source, 0, source.size, fail), fail), fail),
  )) {
    if (typeof file !== 'string' || !isPlainName(file)) {
      throw fail(
        `tensor ${quote(name)} must be in a file beside the index (${typeof file === 'string' ? quote(file) : typeof file})`,
      )
    }
    fileOf.set(name, file)
  }
  const files = [...new Set(fileOf.values())]
  if (files.length > MAX_SHARDS) throw fail(`must name at most ${MAX_SHARDS} files (${files.length})`)
  return { fileOf, files }
}

export function failFor(sourceName: string | undefined): (problem: string) => ShardsError {
  const prefix = sourceName === undefined ? 'index of shards' : `index of shards ${sourceName}`
  return (problem) => new ShardsError(`${prefix}: ${problem}`)
}

/** A file's name that leads nowhere else: no folders, no drive, no device, nothing hidden. */
function isPlainName(name: string): boolean {
  return /^\w[\w.-]{0,254}$/.test(name) && !name.endsWith('.')
}

function parse(bytes: Uint8Array, fail: (problem: string) => ShardsError): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.slice()))
  } catch {
    throw fail('must be JSON')
  }
}

function weightMap(index: unknown, fail: (problem: string) => ShardsError): object {
  const map = isObject(index) ? (index as { weight_map?: unknown }).weight_map : undefined
  if (!isObject(map)) throw fail('must have a "weight_map" from names to files')
  return map
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
