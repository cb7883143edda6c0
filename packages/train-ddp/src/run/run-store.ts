import type { SafetensorsFile, StoredArray, StoredSpec } from '@dit/checkpoint'

/** Size and checksum of a file as it was written. */
export interface FileRecord {
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** Tensors to write: values, or a function that reads them when their turn comes. */
export type TensorSource = StoredSpec & { readonly data: StoredArray['data'] | (() => Promise<StoredArray['data']>) }

/**
 * Where a run lives: a folder in Node, browser storage in a page, memory in tests. Paths are relative, with `/` between parts.
 * What `write` and `writeTensors` return for has reached the disk, whole or not at all.
 */
export interface RunStore {
  /** For messages: where the files are. */
  readonly location: string
  /** Contents, or null where there is no such file. */
  read(path: string): Promise<Uint8Array | null>
  write(path: string, contents: string | Uint8Array): Promise<FileRecord>
  writeTensors(
    path: string,
    tensors: ReadonlyMap<string, TensorSource>,
    metadata: Readonly<Record<string, string>>,
  ): Promise<FileRecord>
  openTensors(path: string): Promise<SafetensorsFile & { close(): Promise<void> }>
  /** Size and checksum of a file as it is now, or null where there is none, or a folder. */
  inspect(path: string): Promise<FileRecord | null>
  /** Adds to the end of a file, which every method of this store shows from now on. */
  append(path: string, text: string): Promise<void>
  /** Cuts a file to its first `bytes`. */
  truncate(path: string, bytes: number): Promise<void>
  /** Waits until what was appended has reached the disk. */
  flush(path: string): Promise<void>
  /** Names in a folder, sorted; none where there is none, or a file. */
  list(path: string): Promise<string[]>
  /** Removes a file or a whole folder. */
  remove(path: string): Promise<void>
  /**
   * Keeps other writers out.
   *
   * @returns what lets them in again
   * @throws RunLockedError while another writer is at work
   */
  lock(): Promise<() => Promise<void>>
}
