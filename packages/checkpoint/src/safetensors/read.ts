import { asBytes, bytesSource, readExactly, requireByteSource, type ByteSource } from '../byte-source.js'
import { elementsOf, type StoredArray } from '../dtype.js'
import { quote } from '../quote.js'
import { float32Reader, type TensorFile } from '../tensor-file.js'
import { failFor, type Fail } from './error.js'
import {
  headBytes,
  parseHeader,
  parseHeadLength,
  type ForeignEntry,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from './header.js'

/** An opened safetensors file. Only its header has been read; each tensor is read when asked for. */
export interface SafetensorsFile extends TensorFile<SafetensorsEntry> {
  /** The strings under `__metadata__`, without a prototype; empty where there are none. */
  readonly metadata: Readonly<Record<string, string>>
  /** Tensors of dtypes that are not read, such as C64: `entries` does not have them. */
  readonly foreign: ReadonlyMap<string, ForeignEntry>
}

/**
 * Opens a safetensors file that is in memory.
 *
 *     const file = readSafetensors(bytes)
 *     const { shape } = file.entries.get('pos_embed')
 *     const weights = await file.float32('pos_embed')
 *
 * @param bytes the whole file; kept, not copied. Tensors read from it are copies.
 * @throws SafetensorsError on anything the format does not allow
 */
export function readSafetensors(bytes: Uint8Array | ArrayBuffer): SafetensorsFile {
  const all = asBytes('readSafetensors', bytes)
  const fail = failFor(undefined)
  const length = parseHeadLength(all.subarray(0, headBytes), all.length, fail)
  return makeFile(bytesSource(all), parseHeader(all.subarray(8, 8 + length), all.length, fail), fail)
}

/**
 * Opens a safetensors file behind a source of byte ranges: two reads now, one for each tensor later.
 *
 * @throws SafetensorsError on anything the format does not allow, before any tensor is read
 * @throws TypeError when `source` has no size or no read function
 */
export async function openSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  requireByteSource('openSafetensors', source)
  const { size } = source
  const fail = failFor(source.name)
  const head = await readExactly(source, 0, Math.min(headBytes, size), fail)
  const length = parseHeadLength(head, size, fail)
  return makeFile(source, parseHeader(await readExactly(source, 8, 8 + length, fail), size, fail), fail)
}

function makeFile(source: ByteSource, { metadata, entries, foreign }: SafetensorsHeader, fail: Fail): SafetensorsFile {
  async function tensor(name: string): Promise<StoredArray> {
    const entry = entries.get(name)
    if (!entry) {
      const dtype = foreign.get(name)?.dtype
      if (dtype !== undefined) throw fail(`tensor ${quote(name)}: its dtype ${dtype} is not read`)
      throw fail(`there is no tensor ${quote(name)} among the ${entries.size}`)
    }
    const { byteOffset, byteLength } = entry
    const failHere = (problem: string) => fail(`tensor ${quote(name)}: ${problem}`)
    const bytes = await readExactly(source, byteOffset, byteOffset + byteLength, failHere)
    const array = elementsOf(entry, bytes)
    if (array.dtype === 'BOOL') {
      const odd = array.data.find((value) => value > 1)
      if (odd !== undefined) throw failHere(`BOOL must be stored as 0 or 1 (${odd})`)
    }
    return array
  }

  return { metadata, entries, foreign, tensor, float32: float32Reader({ entries, tensor }) }
}
