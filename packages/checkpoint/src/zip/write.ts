/** An entry that is to be stored, not compressed. */
export interface StoredEntry {
  /** Letters of ASCII. */
  readonly name: string
  readonly bytes: number
  readonly crc: number
  /** Where its local header begins. */
  readonly byteOffset: number
}

/** Sizes and offsets from here on stand in fields of zip64. */
const WIDE = 0xffffffff
const SIGNATURE = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator: 0x07064b50 }
/** Versions that a reader needs: 2.0, and 4.5 for zip64. */
const [PLAIN_VERSION, WIDE_VERSION] = [20, 45]
/** 1 January 1980, the first day of zip. */
const DATE = 0x0021

/** An extra field that is there for its length alone, as torch pads with. */
const PADDING = 0x4246

/**
 * What stands before an entry's content, which begins at a multiple of `alignment`. At 1 there is no padding.
 *
 * Zip format: PKWARE's APPNOTE 6.3, sections 4.3.7, 4.5.3.
 */
export function localHeader({ name, bytes, crc, byteOffset }: StoredEntry, alignment: number): Uint8Array {
  const wide = bytes >= WIDE ? wideField([bytes, bytes]) : []
  const before = byteOffset + 30 + name.length + wide.length + 4
  const padding = (alignment - (before % alignment)) % alignment
  const padded = alignment === 1 ? [] : [...numbers([2, PADDING], [2, padding]), ...new Uint8Array(padding)]
  const extra = [...wide, ...padded]
  const short = Math.min(bytes, WIDE)
  return Uint8Array.from([
    ...numbers([4, SIGNATURE.local], [2, wide.length > 0 ? WIDE_VERSION : PLAIN_VERSION], [2, 0], [2, 0], [2, 0]),
    ...numbers([2, DATE], [4, crc], [4, short], [4, short], [2, name.length], [2, extra.length]),
    ...ascii(name),
    ...extra,
  ])
}

/** What stands after the last entry: the directory and its end, with the records of zip64 where a number needs them. */
export function zipDirectory(entries: readonly StoredEntry[], byteOffset: number): Uint8Array {
  const directory = entries.flatMap(directoryEntry)
  const isWide = entries.length >= 0xffff || byteOffset >= WIDE || directory.length >= WIDE
  const end64 = byteOffset + directory.length
  const [count, length] = [entries.length, directory.length]
  const wide = isWide
    ? [
        ...numbers([4, SIGNATURE.end64], [8, 44], [2, WIDE_VERSION], [2, WIDE_VERSION], [4, 0], [4, 0]),
        ...numbers([8, count], [8, count], [8, length], [8, byteOffset]),
        ...numbers([4, SIGNATURE.locator], [4, 0], [8, end64], [4, 1]),
      ]
    : []
  const shortCount = Math.min(count, 0xffff)
  return Uint8Array.from([
    ...directory,
    ...wide,
    ...numbers([4, SIGNATURE.end], [2, 0], [2, 0], [2, shortCount], [2, shortCount]),
    ...numbers([4, Math.min(length, WIDE)], [4, Math.min(byteOffset, WIDE)], [2, 0]),
  ])
}

function directoryEntry({ name, bytes, crc, byteOffset }: StoredEntry): number[] {
  const sizes = bytes >= WIDE ? [bytes, bytes] : []
  const wide = [...sizes, ...(byteOffset >= WIDE ? [byteOffset] : [])]
  const extra = wide.length > 0 ? wideField(wide) : []
  const version = wide.length > 0 ? WIDE_VERSION : PLAIN_VERSION
  const short = Math.min(bytes, WIDE)
  return [
    ...numbers([4, SIGNATURE.central], [2, version], [2, version], [2, 0], [2, 0], [2, 0], [2, DATE]),
    ...numbers([4, crc], [4, short], [4, short], [2, name.length], [2, extra.length]),
    ...numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, Math.min(byteOffset, WIDE)]),
    ...ascii(name),
    ...extra,
  ]
}

/** Numbers of eight bytes that did not fit into the short fields, in their order. */
function wideField(values: readonly number[]): number[] {
  return numbers([2, 1], [2, 8 * values.length], ...values.map((value) => [8, value] as const))
}

/** Little-endian numbers of the given lengths. */
function numbers(...fields: readonly (readonly [length: number, value: number])[]): number[] {
  return fields.flatMap(([length, value]) => {
    const bytes = new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)
    return [...bytes.subarray(0, length)]
  })
}

function ascii(name: string): Uint8Array {
  return new TextEncoder().encode(name)
}
