import { createHash } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readSafetensors, writeSafetensors } from '@dit/checkpoint'
import { writeWholeFile } from '@dit/checkpoint/node'
import type { FeatureStore, StoredNumbers } from '../sets/feature-store.js'

/** Options of `folderFeatureStore`. */
export interface FolderStoreOptions {
  /** Told of a file that cannot be read any more: it is removed, and what it held is computed again. */
  readonly onDamage?: (path: string, problem: string) => void
}

/** Where a checksum of the arrays is kept in a file. */
const CHECKSUM = 'sha256'

/**
 * Keeps features and samples in a folder, a file each under what decides it, with a checksum. Several workers may share it: files are
 * written whole or not at all. It may be deleted at any time.
 */
export function folderFeatureStore(folder: string, { onDamage = () => {} }: FolderStoreOptions = {}): FeatureStore {
  const pathOf = (key: string) => join(folder, `${key}.safetensors`)
  return {
    async read(key) {
      const path = pathOf(key)
      const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
        throw error
      })
      if (bytes === null) return null
      try {
        return await readArrays(bytes)
      } catch (error) {
        onDamage(path, (error as Error).message)
        await rm(path, { force: true })
        return null
      }
    },
    async write(key, arrays) {
      await mkdir(folder, { recursive: true })
      const tensors = Object.fromEntries(
        Object.entries(arrays).map(([name, { shape, data }]) => [
          name,
          data instanceof Float32Array ? { dtype: 'F32' as const, shape, data } : { dtype: 'U8' as const, shape, data },
        ]),
      )
      const bytes = writeSafetensors(tensors, { [CHECKSUM]: checksumOf(arrays) })
      await writeWholeFile(pathOf(key), false, (append) => append(bytes))
    },
  }
}

async function readArrays(bytes: Uint8Array): Promise<Record<string, StoredNumbers>> {
  const file = readSafetensors(bytes)
  const arrays: Record<string, StoredNumbers> = {}
  for (const name of file.entries.keys()) {
    const { shape, data } = await file.tensor(name)
    if (!(data instanceof Float32Array || data instanceof Uint8Array)) throw new TypeError(`${name} is of another type`)
    arrays[name] = { shape, data }
  }
  if (file.metadata[CHECKSUM] !== checksumOf(arrays)) throw new RangeError('its checksum is another')
  return arrays
}

function checksumOf(arrays: Readonly<Record<string, StoredNumbers>>): string {
  const hash = createHash('sha256')
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    hash.update(`${name} ${shape.join(' ')}\n`)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash.digest('hex')
}
