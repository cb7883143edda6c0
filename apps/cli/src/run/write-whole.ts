import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeWholeFile } from '@dit/checkpoint/node'
import { nameFile } from './named-errors.js'

/** Writes a file whole or not at all, with the folders above it; through a link, and into a device or a pipe. */
export async function writeWhole(path: string, contents: Uint8Array | string): Promise<void> {
  const bytes = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeWholeFile(path, false, (append) => append(bytes))
  } catch (error) {
    throw nameFile(error, path)
  }
}
