import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pictures } from '@dit/pipeline'
import { picturePng } from '../plot/grid.js'
import { writeWhole } from '../run/write-whole.js'
import type { PictureSize } from './shown-pictures.js'

/** A folder of pictures, one PNG each, named by number and class: `0007-circle.png`. */
export interface SinglePictures {
  /** Writes pictures, the first of which has the number `first` among all. */
  write(pictures: Pictures, first: number): Promise<void>
  /** Whether all of some pictures are there, each a whole PNG of the right size. */
  areWhole(first: number, count: number): Promise<boolean>
  /** Removes what a killed process left half written. */
  removePartial(): Promise<void>
}

/**
 * @param total of all pictures, which says how many digits a number has
 * @param nameOf name of the class of a picture by its number
 */
export function singlePictures(
  folder: string,
  total: number,
  size: PictureSize,
  nameOf: (index: number) => string,
): SinglePictures {
  const digits = Math.max(4, String(total - 1).length)
  const pathOf = (index: number) => {
    const name = nameOf(index).replaceAll(/[^\p{L}\p{N}._-]+/gu, '_')
    return join(folder, `${String(index).padStart(digits, '0')}-${name}.png`)
  }
  return {
    async write(pictures, first) {
      await mkdir(folder, { recursive: true })
      for (let i = 0; i < pictures.count; i++) await writeWhole(pathOf(first + i), await picturePng(pictures, i))
    },
    async areWhole(first, count) {
      const checks = Array.from({ length: count }, (_, i) => isWholePng(pathOf(first + i), size))
      return (await Promise.all(checks)).every(Boolean)
    },
    async removePartial() {
      // Names that `writeWhole` gives to what it has begun.
      const left = /^\d{4,}-.*\.png\.[0-9a-f]{12}\.partial$/u
      for (const name of await readdir(folder).catch(() => [])) {
        if (left.test(name)) await rm(join(folder, name), { force: true })
      }
    },
  }
}

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
/** The last chunk of every PNG. */
const END = Buffer.from('\0\0\0\0IEND\xaeB`\x82', 'latin1')

/** Whether a file begins and ends as a PNG of this size. */
async function isWholePng(path: string, { height, width }: PictureSize): Promise<boolean> {
  const file = await open(path, 'r').catch(() => null)
  if (file === null) return false
  try {
    const found = await file.stat()
    if (!found.isFile() || found.size < 24 + END.length) return false
    const head = Buffer.alloc(24)
    const tail = Buffer.alloc(END.length)
    await file.read(head, 0, head.length, 0)
    await file.read(tail, 0, tail.length, found.size - END.length)
    const isOfSize = head.readUInt32BE(16) === width && head.readUInt32BE(20) === height
    return isOfSize && head.subarray(0, 8).equals(SIGNATURE) && tail.equals(END)
  } finally {
    await file.close()
  }
}
