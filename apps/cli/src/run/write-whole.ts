import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { nameFile } from './named-errors.js'

/** Writes a file whole or not at all, with the folders above it. */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  const partial = `${path}.partial`
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(partial, bytes)
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {})
    throw nameFile(error, path)
  }
}
