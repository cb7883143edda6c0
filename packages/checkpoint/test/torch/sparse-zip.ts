import { open } from 'node:fs/promises'

/** A file of an archive: bytes, or a number of zeros that take no room on a disk that knows holes. */
export interface SparseEntry {
  readonly name: string
  readonly content: Uint8Array | number
}

/** Writes a zip64 archive of stored entries without checksums, of any size. */
export async function writeSparseZip(path: string, entries: readonly SparseEntry[]): Promise<void> {
  const file = await open(path, 'w')
  let at = 0
  const append = async (bytes: Uint8Array) => void (at += (await file.write(bytes, 0, bytes.length, at)).bytesWritten)
  try {
    const directory: Uint8Array[] = []
    for (const { name, content } of entries) {
      const size = typeof content === 'number' ? content : content.length
      directory.push(directoryEntry(name, size, at))
      await append(header(0x04034b50, name, [size, size]))
      if (typeof content === 'number') at += content
      else await append(content)
    }
    const start = at
    for (const bytes of directory) await append(bytes)
    await append(endRecords(entries.length, at - start, start))
    await file.truncate(at)
  } finally {
    await file.close()
  }
}

const FULL = 0xffffffff

/** A local header or one of the directory; sizes (and there the offset) stand in the zip64 field. */
function header(signature: number, name: string, wide: readonly number[]): Uint8Array {
  const isDirectory = signature === 0x02014b50
  const head = isDirectory ? 46 : 30
  const at = isDirectory ? 2 : 0 // a directory entry has one more version before the others
  const extra = 4 + 8 * wide.length
  const bytes = new Uint8Array(head + name.length + extra)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, signature, true)
  view.setUint32(18 + at, FULL, true)
  view.setUint32(22 + at, FULL, true)
  view.setUint16(26 + at, name.length, true)
  view.setUint16(28 + at, extra, true)
  if (isDirectory) view.setUint32(42, FULL, true)
  bytes.set(new TextEncoder().encode(name), head)
  view.setUint16(head + name.length, 1, true)
  view.setUint16(head + name.length + 2, 8 * wide.length, true)
  wide.forEach((value, i) => view.setBigUint64(head + name.length + 4 + 8 * i, BigInt(value), true))
  return bytes
}

function directoryEntry(name: string, size: number, offset: number): Uint8Array {
  return header(0x02014b50, name, [size, size, offset])
}

function endRecords(count: number, bytes: number, start: number): Uint8Array {
  const out = new Uint8Array(56 + 20 + 22)
  const view = new DataView(out.buffer)
  view.setUint32(0, 0x06064b50, true)
  view.setBigUint64(4, 44n, true)
  for (const [at, value] of [
    [24, count],
    [32, count],
    [40, bytes],
    [48, start],
    [64, start + bytes],
  ]) {
    view.setBigUint64(at, BigInt(value), true)
  }
  view.setUint32(56, 0x07064b50, true)
  view.setUint32(72, 1, true)
  view.setUint32(76, 0x06054b50, true)
  view.setUint16(84, 0xffff, true)
  view.setUint16(86, 0xffff, true)
  view.setUint32(88, FULL, true)
  view.setUint32(92, FULL, true)
  return out
}
