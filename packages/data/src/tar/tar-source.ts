/**
 * An archive that can be read by range: a file, a Blob. `read(start, end)` resolves to exactly `end - start` bytes.
 *
 * @example
 * const source = {
 *   size: blob.size,
 *   read: async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()),
 * }
 */
export interface TarSource {
  readonly size: number
  /** begins each error's text (default `tar`) */
  readonly name?: string
  read(start: number, end: number): Promise<Uint8Array>
}

/** Bytes that are read at once: headers and labels stand close together, between pictures. */
const WINDOW = 2 ** 14

/** Reads through a window, so that neighbours come from one reading. */
export function windowed(source: TarSource): TarSource['read'] {
  let window: { readonly start: number; readonly bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) }
  return async (start, end) => {
    if (end - start > WINDOW) return source.read(start, end)
    if (start < window.start || end > window.start + window.bytes.length) {
      window = { start, bytes: await source.read(start, Math.min(source.size, start + WINDOW)) }
    }
    return window.bytes.slice(start - window.start, end - window.start)
  }
}
