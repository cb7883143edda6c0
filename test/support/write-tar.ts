/** A member of an archive that a test makes. */
export interface TarEntry {
  readonly name: string
  readonly content?: string | Uint8Array
  /** one character (default `0`, a file) */
  readonly type?: string
  /** what the header says of the size, where that is not the content's */
  readonly size?: number | string | Uint8Array
  readonly prefix?: string
  /** `ustar\0` (default), `ustar ` as GNU tar has it, or nothing */
  readonly magic?: string
  /** bytes that are set in the header before its checksum */
  readonly bytes?: Readonly<Record<number, number>>
  /** the checksum over signed bytes, as some old programs made it */
  readonly isSigned?: boolean
}

const BLOCK = 512
const bytesOf = (content: string | Uint8Array) => (typeof content === 'string' ? Buffer.from(content) : content)

/** One header. */
export function tarHeader(entry: TarEntry): Uint8Array {
  const { name, content = '', type = '0', prefix = '', magic = 'ustar\0', bytes = {}, isSigned = false } = entry
  const header = Buffer.alloc(BLOCK)
  header.write(name, 0, 100)
  header.write('0000644\0', 100)
  const { size = bytesOf(content).length } = entry
  if (typeof size === 'number') header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  else header.set(bytesOf(size), 124)
  header.write(type, 156, 'latin1')
  header.write(magic, 257)
  header.write(prefix, 345)
  for (const [at, byte] of Object.entries(bytes)) header[Number(at)] = byte
  header.write(' '.repeat(8), 148)
  const sum = header.reduce((total, byte) => total + (isSigned && byte > 127 ? byte - 256 : byte), 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** An archive of these members; `isOpen` leaves out the mark that ends it. */
export function writeTar(entries: readonly TarEntry[], { isOpen = false } = {}): Uint8Array {
  const pieces = entries.flatMap((entry) => {
    const content = bytesOf(entry.content ?? '')
    return [tarHeader(entry), content, new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK)]
  })
  return Uint8Array.from(Buffer.concat([...pieces, new Uint8Array(isOpen ? 0 : 2 * BLOCK)]))
}

/** A pax header for the member after it. */
export function paxEntry(records: Readonly<Record<string, string>>, type = 'x'): TarEntry {
  const content = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    let length = Buffer.byteLength(rest)
    while (Buffer.byteLength(`${length}${rest}`) !== length) length++
    return `${length}${rest}`
  })
  return { name: 'pax', type, content: content.join('') }
}
