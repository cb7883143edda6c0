import { openImageFolder } from '@dit/data/node'
import { permutation, randomStream } from '@dit/random'

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

/** Reads pictures of class folders, `count` of them at most, chosen at random by a seed and in that order. */
export async function readPictures(folder: string, size: number, count: number, seed = 0): Promise<PictureSet> {
  const opened = await openImageFolder(folder, { size, cacheBytes: 0 })
  try {
    const chosen = permutation(randomStream(seed, 'pictures'), opened.length).subarray(0, count)
    const pixels = new Uint8Array(chosen.length * size * size * 3)
    const labels = new Int32Array(chosen.length)
    const area = size * size
    for (let start = 0; start < chosen.length; start += 256) {
      const rows = Array.from(chosen.subarray(start, start + 256))
      const { x0, labels: found } = await opened.read(rows)
      labels.set(found, start)
      for (let i = 0; i < rows.length; i++) {
        for (let c = 0; c < 3; c++) {
          for (let p = 0; p < area; p++) {
            pixels[((start + i) * area + p) * 3 + c] = Math.round((x0[(i * 3 + c) * area + p] + 1) * 127.5)
          }
        }
      }
    }
    return { count: chosen.length, height: size, width: size, pixels, labels, classNames: opened.classes }
  } finally {
    await opened.close()
  }
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
