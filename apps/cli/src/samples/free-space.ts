import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { targetOf } from '@dit/checkpoint/node'
import { formatBytes } from '../terminal/format.js'
import { isDevice } from './array-file.js'

/** A file that will be written, and its bytes. */
export interface PlannedFile {
  readonly path: string
  readonly bytes: number
}

/**
 * A line for each file that is larger than what is free where it will lie. No error: some file systems compress, and some do not tell the
 * truth.
 *
 * @param free free bytes in a folder; null where nothing tells
 */
export async function shortOfSpace(files: readonly PlannedFile[], free = freeBytes): Promise<string[]> {
  const lines: string[] = []
  for (const { path, bytes } of files) {
    if (await isDevice(path)) continue
    const room = await free(dirname(await targetOf(path)))
    if (room === null || bytes <= room) continue
    lines.push(`${path} will have ${formatBytes(bytes)}, but only ${formatBytes(room)} are free there`)
  }
  return lines
}

async function freeBytes(folder: string): Promise<number | null> {
  const found = await statfs(folder).catch(() => null)
  return found === null ? null : found.bavail * found.bsize
}
