/**
 * Bytes that can be read by range: a file, a Blob, an address that answers range requests.
 *
 *     const source = {
 *       size: blob.size,
 *       read: async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()),
 *     }
 *
 * `read(start, end)` resolves to exactly `end - start` bytes, from `start` up to but without `end`, in memory that the
 * source will not touch again: arrays are made as views of it. `name` (a path, an address) appears in error texts.
 */
export interface ByteSource {
  readonly size: number
  readonly name?: string
  read(start: number, end: number): Promise<Uint8Array>
}

/**
 * Bytes in memory as a source. What it reads are copies.
 *
 * @param name for error texts
 */
export function bytesSource(bytes: Uint8Array | ArrayBuffer, name?: string): ByteSource {
  const all = asBytes('bytesSource', bytes)
  const read = async (start: number, end: number) => all.slice(start, end)
  return { size: all.length, ...(name === undefined ? {} : { name }), read }
}

/** Reads a range and checks that the source gave all of it; `fail` makes the error. */
export async function readExactly(
  source: ByteSource,
  start: number,
  end: number,
  fail: (problem: string) => Error,
): Promise<Uint8Array> {
  const bytes = await source.read(start, end)
  if (bytes.length !== end - start) {
    throw fail(`reading bytes ${start} to ${end} gave ${bytes.length} bytes, not ${end - start} (did the file change?)`)
  }
  return asBytes('read', bytes)
}

/** @throws TypeError unless `source.size` is a byte count and `source.read` a function */
export function requireByteSource(who: string, source: ByteSource): void {
  if (!Number.isSafeInteger(source.size) || source.size < 0 || typeof source.read !== 'function') {
    throw new TypeError(`${who}: source must have a size in bytes and a read function (size ${source.size})`)
  }
}

/** A plain Uint8Array over what the caller gave, without a copy. Not a Buffer: the slices of that are no copies. */
export function asBytes(who: string, bytes: Uint8Array | ArrayBuffer): Uint8Array {
  const tag = Object.prototype.toString.call(bytes).slice(8, -1)
  if (tag === 'ArrayBuffer' || tag === 'SharedArrayBuffer') return new Uint8Array(bytes as ArrayBuffer)
  if (tag !== 'Uint8Array') throw new TypeError(`${who}: bytes must be a Uint8Array or an ArrayBuffer (${tag})`)
  const { buffer, byteOffset, byteLength } = bytes as Uint8Array
  return new Uint8Array(buffer, byteOffset, byteLength)
}
