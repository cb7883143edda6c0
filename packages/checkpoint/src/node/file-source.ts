import { open, stat } from 'node:fs/promises'
import type { ByteSource } from '../byte-source.js'

/** A file opened for reading by ranges. */
export interface FileSource extends ByteSource {
  readonly name: string
  /** Closes the file; harmless when repeated. Reading afterwards is an error. */
  close(): Promise<void>
}

/** The most that one read call may ask of the operating system, below its limit of 2^31 bytes. */
const chunkBytes = 2 ** 30

/**
 * Opens a file as a source for `openSafetensors` and `openNpz`. The caller closes it.
 *
 * @throws Error with a `code` from the operating system when the file cannot be opened
 * @throws TypeError when the path is a folder or another thing without a size
 */
export async function openFileSource(path: string): Promise<FileSource> {
  // Asked before opening: to open a named pipe would wait for a writer.
  if (!(await stat(path)).isFile()) throw new TypeError(`openFileSource: path must be a file (${path})`)
  const handle = await open(path, 'r')
  const { size } = await handle.stat()
  let closing: Promise<void> | undefined

  async function read(start: number, end: number): Promise<Uint8Array> {
    if (closing) throw new TypeError(`openFileSource: the file must still be open (${path} is closed)`)
    const bytes = allocate(Math.min(end, size) - start, path)
    let filled = 0
    while (filled < bytes.length) {
      const length = Math.min(bytes.length - filled, chunkBytes)
      const { bytesRead } = await handle.read(bytes, filled, length, start + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  }

  return { size, name: path, read, close: () => (closing ??= handle.close()) }
}

function allocate(length: number, path: string): Uint8Array {
  try {
    return new Uint8Array(length)
  } catch {
    throw new RangeError(`openFileSource: a read must fit into memory (${length} bytes of ${path})`)
  }
}
