import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageFolder, TarShards } from '@dit/data/node'
import type { Output } from '../terminal/output.js'
import { showProgress } from '../terminal/progress.js'

/** The files of a data set's pictures, wherever they lie. */
export interface PictureFiles {
  readonly count: number
  /** What identifies a file beside its contents: the same in a copy of the data. */
  readonly identity: (index: number) => Promise<string>
  readonly bytes: (index: number) => Promise<Uint8Array>
}

/** Files of a folder: names, which hold the classes, and sizes. */
export function folderFiles(folder: string, { files }: ImageFolder): PictureFiles {
  return {
    count: files.length,
    identity: async (index) => `${files[index]}\n${(await stat(join(folder, files[index]))).size}\n`,
    bytes: (index) => readFile(join(folder, files[index])),
  }
}

/** Members of shards: names, sizes and classes, which stand in other members. */
export function shardFiles(shards: TarShards): PictureFiles {
  const { files, sizes } = shards
  const labels = shards.labels!()
  return {
    count: files.length,
    identity: async (index) => `${files[index]}\n${sizes[index]}\n${labels[index]}\n`,
    bytes: (index) => shards.readFile(index),
  }
}

/** SHA-256 over what identifies the files, in order. */
export async function fingerprint({ count, identity }: PictureFiles): Promise<string> {
  const hash = createHash('sha256')
  for (let i = 0; i < count; i++) hash.update(await identity(i))
  return hash.digest('hex')
}

/** SHA-256 over the contents of so many files, spread over all: a picture that was changed keeps its name, and may keep its size. */
export async function contentsDigest({ count, bytes }: PictureFiles, asked: number | 'all', output: Output) {
  const total = asked === 'all' ? count : Math.min(asked, count)
  const progress = showProgress(output, { total, unit: 'files', isPlainShown: 'when slow' })
  const hash = createHash('sha256')
  try {
    for (let i = 0; i < total; i++) {
      const content = await bytes(Math.floor((i * count) / total))
      hash.update(`${content.length}\n`).update(content)
      progress.update(i + 1, 'reading')
    }
  } finally {
    progress.stop()
  }
  return { files: asked, sha256: hash.digest('hex') }
}
