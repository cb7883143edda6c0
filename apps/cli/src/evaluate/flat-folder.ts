import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dataset } from '@dit/data'
import { UsageError } from '../terminal/errors.js'
import { unreadablePicture } from '../terminal/unreadable-picture.js'

/** Suffixes of pictures. */
const PICTURE = /\.(?:png|jpe?g|webp|avif|gif|tiff?)$/i

/** A folder of pictures without classes, such as `dit sample --singles` writes. */
export interface FlatFolder extends Dataset {
  readonly files: readonly string[]
}

/** Names of the pictures of a folder that has no sub-folders, in order; null where it has some, or no pictures. */
export async function flatFiles(folder: string): Promise<string[] | null> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  if (entries.some((entry) => entry.isDirectory() && !entry.name.startsWith('.'))) return null
  const names = entries.filter(({ name }) => PICTURE.test(name) && !name.startsWith('.')).map(({ name }) => name)
  return names.length === 0 ? null : names.toSorted()
}

/**
 * Opens a folder of pictures of one size that has no class folders; null where it has some.
 *
 * @throws UsageError, when pictures are read, for one of another size or one that cannot be read
 */
export async function openFlatFolder(
  folder: string,
  size: number,
  background: string | null,
): Promise<FlatFolder | null> {
  const files = await flatFiles(folder)
  if (files === null) return null
  const { default: sharp } = await import('sharp')
  const area = size * size
  return {
    length: files.length,
    classes: [],
    shape: [3, size, size],
    files,
    async read(indices) {
      const x0 = new Float32Array(indices.length * 3 * area)
      for (let row = 0; row < indices.length; row++) {
        const path = join(folder, files[indices[row]])
        const picture = sharp(path).toColourspace('srgb')
        const opaque = background === null ? picture.removeAlpha() : picture.flatten({ background }).removeAlpha()
        const { data, info } = await opaque
          .raw()
          .toBuffer({ resolveWithObject: true })
          .catch((cause: unknown) => {
            throw unreadablePicture(path, cause)
          })
        if (info.width !== size || info.height !== size) {
          throw new UsageError(
            `${path} is ${info.width} x ${info.height}, and not ${size} x ${size}; put pictures of several sizes into a class folder, whose pictures are cropped`,
          )
        }
        for (let i = 0; i < area; i++) {
          for (let c = 0; c < 3; c++)
            x0[(row * 3 + c) * area + i] = data[i * info.channels + Math.min(c, info.channels - 1)] / 127.5 - 1
        }
      }
      return { x0, labels: new Int32Array(indices.length) }
    },
  }
}
