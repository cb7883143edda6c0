import { zipSync, type Zippable } from 'fflate'
import { asBytes, bytesSource, requireByteSource, type ByteSource } from '../byte-source.js'
import type { StoredArray } from '../dtype.js'
import { quote } from '../quote.js'
import type { NamedTensors } from '../safetensors/layout.js'
import { readZipDirectory } from '../zip/directory.js'
import { readZipEntry } from '../zip/read-entry.js'
import { failFor, type NpyError } from './error.js'
import { formatNpy, parseNpy } from './npy.js'

/** An opened npz archive. Only its directory has been read; each array is read when asked for. */
export interface NpzFile {
  /** The arrays' names without `.npy`, in the archive's order: `arr_0`, `arr_1` where numpy was given none. */
  readonly names: readonly string[]
  /**
   * Reads one array. The caller owns the result.
   *
   * @throws NpyError when there is no such array, or it is damaged or of an unsupported kind
   */
  array(name: string): Promise<StoredArray>
}

/** Options of `openNpz` and `readNpz`. */
export interface ReadNpzOptions {
  /** Largest array that is read, in bytes: a small archive can claim to unpack to a thousand times its size. Default: 4 GiB. */
  readonly maxBytes?: number
}

/** Options of `writeNpz`. */
export interface WriteNpzOptions {
  /** Deflates the arrays, as `numpy.savez_compressed` does. Default: false, as `numpy.savez`. */
  readonly compress?: boolean
}

/**
 * Opens an npz archive (stored or deflated, zip64 included) behind a source of byte ranges.
 *
 * @throws NpyError when it is no zip archive, or one with entries that are not npy
 * @throws TypeError when `source` has no size or no read function
 */
export async function openNpz(source: ByteSource, { maxBytes = 2 ** 32 }: ReadNpzOptions = {}): Promise<NpzFile> {
  requireByteSource('openNpz', source)
  const who = source.name === undefined ? 'npz' : `npz ${source.name}`
  const entries = await readZipDirectory(source, failFor(who))
  const names = [...entries.keys()].map((entryName) => {
    if (!entryName.endsWith('.npy')) throw failFor(who)(`entry ${quote(entryName)} must be an npy file`)
    return entryName.slice(0, -4)
  })

  async function array(name: string): Promise<StoredArray> {
    const entry = entries.get(`${name}.npy`)
    if (!entry) throw failFor(who)(`there is no array ${quote(name)} among the ${entries.size}`)
    const fail = (problem: string): NpyError => failFor(who)(`array ${quote(name)}: ${problem}`)
    return parseNpy(await readZipEntry(source, entry, maxBytes, fail), fail)
  }

  return { names, array }
}

/**
 * Reads all arrays of an npz archive that is in memory.
 *
 *     const { data, shape } = (await readNpz(bytes)).get('arr_0')
 *
 * @returns the arrays by name, without `.npy`; the caller owns them
 * @throws NpyError on the first array that cannot be read
 */
export async function readNpz(
  bytes: Uint8Array | ArrayBuffer,
  options: ReadNpzOptions = {},
): Promise<Map<string, StoredArray>> {
  const file = await openNpz(bytesSource(asBytes('readNpz', bytes)), options)
  const arrays = new Map<string, StoredArray>()
  for (const name of file.names) arrays.set(name, await file.array(name))
  return arrays
}

/**
 * Arrays as an npz archive. The same input gives the same bytes. Evaluation suites expect samples as `arr_0`, U8
 * `[B, H, W, 3]`.
 *
 * @throws TypeError and RangeError as `writeNpy` does
 * @throws RangeError when the arrays have 4 GiB or more together, for which zip needs another layout
 */
export function writeNpz(
  arrays: NamedTensors<StoredArray>,
  { compress = false }: WriteNpzOptions = {},
): Uint8Array<ArrayBuffer> {
  const named = arrays instanceof Map ? [...(arrays as ReadonlyMap<string, StoredArray>)] : Object.entries(arrays)
  const total = named.reduce((sum, [, { data }]) => sum + data.byteLength, 0)
  if (total >= 2 ** 32 - 2 ** 24)
    throw new RangeError(`writeNpz: arrays must stay below 4 GiB together (${total} bytes)`)
  const files: Zippable = Object.create(null)
  for (const [name, array] of named) {
    files[`${name}.npy`] = formatNpy(`writeNpz: array ${quote(name)}`, array)
  }
  // The earliest date that zip can hold: the clock must not get into the bytes.
  return zipSync(files, { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) })
}
