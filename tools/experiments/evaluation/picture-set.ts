import { join } from 'node:path'
import { scanFolder } from '@dit/data/node'
import { permutation, randomStream } from '@dit/random'
import sharp from 'sharp'

/** Pictures of one size with their classes. */
export interface PictureSet {
  readonly count: number
  readonly height: number
  readonly width: number
  /** RGB, `[count, height, width, 3]`. */
  readonly pixels: Uint8Array
  readonly labels: Int32Array
  readonly classNames: readonly string[]
}

/**
 * Reads square pictures of class folders, `count` of them at most, chosen at random by a seed and in that order; what is transparent becomes white. Only
 * these are decoded.
 */
export async function readPictures(folder: string, side: number, count: number, seed = 0): Promise<PictureSet> {
  const { files, classes } = await scanFolder(folder)
  const chosen = permutation(randomStream(seed, 'pictures'), files.length).subarray(0, count)
  const bytes = side * side * 3
  const pixels = new Uint8Array(chosen.length * bytes)
  for (let i = 0; i < chosen.length; i++) {
    const picture = sharp(join(folder, files[chosen[i]].path)).flatten({ background: '#ffffff' }).toColourspace('srgb')
    pixels.set(await picture.resize(side, side, { kernel: 'cubic' }).raw().toBuffer(), i * bytes)
  }
  const labels = Int32Array.from(chosen, (row) => files[row].label)
  return { count: chosen.length, height: side, width: side, pixels, labels, classNames: classes }
}

/** The pictures that a list names, in its order; one may come more than once. */
export function takePictures(set: PictureSet, rows: ArrayLike<number>): PictureSet {
  const bytes = set.height * set.width * 3
  const pixels = new Uint8Array(rows.length * bytes)
  const labels = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    pixels.set(set.pixels.subarray(rows[i] * bytes, (rows[i] + 1) * bytes), i * bytes)
    labels[i] = set.labels[rows[i]]
  }
  return { ...set, count: rows.length, pixels, labels }
}
