import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { bytesOf, itemBytes, type StoredArray, type StoredSpec } from '../dtype.js'
import { type NpzPlace, npzFrame, npzLayout } from '../npy/npz-layout.js'
import { quote } from '../quote.js'
import { crc32 } from '../zip/crc32.js'

/** An npz file in the making. Until it is finished it cannot be read as one. */
export interface NpzDraft {
  /**
   * Puts elements in their place in an array, in any order.
   *
   * @param at index of the first of them, in row-major order
   * @throws RangeError where they do not lie within the array
   */
  write(name: string, at: number, data: StoredArray['data']): Promise<void>
  /** Waits until all that was written is on the disk. */
  sync(): Promise<void>
  /** Completes the file with checksums, headers and directory, waits until it is on the disk, and closes it. */
  finish(): Promise<void>
  /** Closes the file as it is; harmless when repeated. */
  close(): Promise<void>
}

/** Options of `openNpzDraft`. */
export interface OpenNpzDraftOptions {
  /** Go on with a draft that another process left. Default: false, begin one. */
  readonly resume?: boolean
}

/** Bytes that are read at a time for a checksum. */
const CHUNK = 2 ** 22

/**
 * Begins an npz file that is written piece by piece, in bounded memory. Elements that are never written are zero. When finished it has the
 * bytes of `writeNpz`, and beyond 4 GiB it is a zip64 archive.
 *
 *     const draft = await openNpzDraft('samples.npz.unfinished', { arr_0: { dtype: 'U8', shape: [50_000, 32, 32, 3] } })
 *     await draft.write('arr_0', 0, pixels)
 *     await draft.finish()
 *
 * @param path a new file; with `resume` the draft of the same arrays. A link is an error in both cases
 * @throws TypeError and RangeError as `writeNpz` does
 * @throws RangeError where the file to resume has not the size of a draft of these arrays
 * @throws Error with a `code` from the operating system: `EEXIST` where there is a file already
 */
export async function openNpzDraft(
  path: string,
  arrays: Readonly<Record<string, StoredSpec>>,
  { resume = false }: OpenNpzDraftOptions = {},
): Promise<NpzDraft> {
  const layout = npzLayout('openNpzDraft', arrays)
  const { places, directoryOffset } = layout
  // Windows knows no O_NOFOLLOW: it is absent there, which adds nothing.
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const handle = await open(path, resume ? O_RDWR | O_NOFOLLOW : O_RDWR | O_CREAT | O_EXCL)
  try {
    if (resume) {
      const found = await handle.stat()
      // A draft has no directory, unless it was stopped while that was written.
      const { byteOffset, bytes } = npzFrame(layout, new Map(Array.from(places.keys(), (name) => [name, 0]))).at(-1)!
      const longest = byteOffset + bytes.length
      if (!found.isFile() || found.size < directoryOffset || found.size > longest) {
        throw new RangeError(
          `openNpzDraft: ${path} must be a draft of these arrays, of ${directoryOffset} to ${longest} bytes (${found.size})`,
        )
      }
    }
    await handle.truncate(directoryOffset)
  } catch (error) {
    await handle.close()
    throw error
  }
  let closing: Promise<void> | undefined
  const close = () => (closing ??= handle.close())

  return {
    async write(name, at, data) {
      const place = places.get(name)
      if (place === undefined) throw new RangeError(`NpzDraft: there is no array ${quote(name)}`)
      const { dtype } = arrays[name]
      const start = at * itemBytes(dtype)
      if (!(Number.isSafeInteger(start) && start >= 0 && start + data.byteLength <= place.byteLength)) {
        throw new RangeError(
          `NpzDraft: elements must lie within array ${quote(name)} (${data.length} from ${at} of ${place.byteLength / itemBytes(dtype)})`,
        )
      }
      if (data.BYTES_PER_ELEMENT !== itemBytes(dtype)) {
        throw new TypeError(`NpzDraft: array ${quote(name)} is ${dtype} (got ${data.constructor.name})`)
      }
      await writeAt(handle, place.byteOffset + start, bytesOf(data))
    },
    sync: () => handle.datasync(),
    async finish() {
      const crcs = new Map<string, number>()
      for (const [name, place] of places) {
        await writeAt(handle, place.headOffset, place.head)
        crcs.set(name, await checksum(handle, place))
      }
      for (const { byteOffset, bytes } of npzFrame(layout, crcs)) await writeAt(handle, byteOffset, bytes)
      await handle.sync()
      await close()
    },
    close,
  }
}

async function writeAt(handle: FileHandle, start: number, bytes: Uint8Array): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const length = Math.min(bytes.length - written, 2 ** 30)
    written += (await handle.write(bytes, written, length, start + written)).bytesWritten
  }
}

/** The checksum of an entry that is in the file: the header of the npy file and the elements. */
async function checksum(handle: FileHandle, { headOffset, entry }: NpzPlace): Promise<number> {
  const chunk = new Uint8Array(Math.min(CHUNK, entry.bytes))
  let crc = 0
  for (let done = 0; done < entry.bytes;) {
    const { bytesRead } = await handle.read(chunk, 0, Math.min(chunk.length, entry.bytes - done), headOffset + done)
    if (bytesRead === 0) throw new RangeError(`NpzDraft: ${entry.name} was cut short while it was written`)
    crc = crc32(chunk.subarray(0, bytesRead), crc)
    done += bytesRead
  }
  return crc
}
