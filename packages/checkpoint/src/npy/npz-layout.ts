import { arrayBytes, requireSpec, type StoredSpec } from '../dtype.js'
import { quote } from '../quote.js'
import { localHeader, type StoredEntry, zipDirectory } from '../zip/write.js'
import { npyHead } from './npy.js'

/** Where one array lies in an npz file that is not compressed. */
export interface NpzPlace {
  /** The entry, whose checksum only its bytes can tell. */
  readonly entry: Omit<StoredEntry, 'crc'>
  /** Header of the npy file. */
  readonly head: Uint8Array
  /** Where that header begins. */
  readonly headOffset: number
  /** Where the elements begin, and how many bytes they have. */
  readonly byteOffset: number
  readonly byteLength: number
}

/** Where everything lies in an npz file, before any element is known. */
export interface NpzLayout {
  readonly places: ReadonlyMap<string, NpzPlace>
  /** Where the directory begins. */
  readonly directoryOffset: number
}

/**
 * Lays out an npz file as `writeNpz` does, byte for byte, and as zip64 where it is too large for that.
 *
 * @throws TypeError and RangeError as `writeNpz` does
 */
export function npzLayout(who: string, arrays: Readonly<Record<string, StoredSpec>>): NpzLayout {
  const places = new Map<string, NpzPlace>()
  let at = 0
  for (const [key, spec] of Object.entries(arrays)) {
    if (!/^[\x20-\x7e]+$/.test(key)) throw new RangeError(`${who}: names must be printable ASCII (${quote(key)})`)
    requireSpec(`${who}: array ${quote(key)}`, spec)
    const head = npyHead(`${who}: array ${quote(key)}`, spec)
    const byteLength = arrayBytes(spec)!
    const entry = { name: `${key}.npy`, bytes: head.length + byteLength, byteOffset: at }
    const headOffset = at + localHeader({ ...entry, crc: 0 }, 1).length
    places.set(key, { entry, head, headOffset, byteOffset: headOffset + head.length, byteLength })
    at = headOffset + entry.bytes
  }
  return { places, directoryOffset: at }
}

/** What stands around the arrays: the header before each, and the directory at the end. */
export function npzFrame(
  { places, directoryOffset }: NpzLayout,
  crcs: ReadonlyMap<string, number>,
): { readonly byteOffset: number; readonly bytes: Uint8Array }[] {
  const entries = [...places].map(([key, { entry }]) => ({ ...entry, crc: crcs.get(key)! }))
  const headers = entries.map((entry) => ({ byteOffset: entry.byteOffset, bytes: localHeader(entry, 1) }))
  return [...headers, { byteOffset: directoryOffset, bytes: zipDirectory(entries, directoryOffset) }]
}
