import type { PagePictures } from './settings.js'

/** Pictures of files, and the names of those that are none. */
export interface ReadFiles {
  readonly pictures: PagePictures
  readonly refused: readonly string[]
  /** How many of the pictures are transparent somewhere. */
  readonly numTransparent: number
}

/** A picture as the page trains on it. */
export interface DecodedPicture {
  /** RGB, `[3, size, size]`. */
  readonly planes: Uint8Array
  /** Some of it was transparent, and lies on `GROUND` now. */
  readonly isTransparent: boolean
}

/** The level of the grey that transparent pictures are put on: neither black nor white lines vanish there. */
export const GROUND = 128

/** A class for pictures that lie in no folder. */
const NO_FOLDER = 'pictures'

/** The class of a file: the folder that it lies in, where the visitor chose folders. */
export function classOf(path: string): string {
  const folders = path.split('/').slice(0, -1)
  // Of a chosen folder without folders in it, that one.
  return folders.at(-1) ?? NO_FOLDER
}

/**
 * Reads pictures: the middle square of each, made small. They never leave the page.
 *
 * @param decode gives null for what is no picture
 */
export async function readFiles(
  files: readonly { readonly name: string; readonly webkitRelativePath?: string }[],
  size: number,
  decode: (file: (typeof files)[number], size: number) => Promise<DecodedPicture | null>,
): Promise<ReadFiles> {
  const read: (DecodedPicture & { readonly name: string })[] = []
  const refused: string[] = []
  for (const file of files) {
    const picture = await decode(file, size)
    const path = file.webkitRelativePath ?? ''
    if (picture === null) refused.push(file.name)
    else read.push({ name: classOf(path === '' ? file.name : path), ...picture })
  }
  const classes = [...new Set(read.map(({ name }) => name))].toSorted()
  const area = 3 * size * size
  const pixels = new Uint8Array(read.length * area)
  read.forEach(({ planes }, i) => pixels.set(planes, i * area))
  const labels = Int32Array.from(read, ({ name }) => classes.indexOf(name))
  const numTransparent = read.filter(({ isTransparent }) => isTransparent).length
  return { pictures: { classes, labels, pixels }, refused, numTransparent }
}

/** Decodes a file of the visitor by the browser; null for what is no picture that it can read. */
export async function decodeFile(file: Blob, size: number): Promise<DecodedPicture | null> {
  const bitmap = await createImageBitmap(file).catch(() => null)
  if (bitmap === null) return null
  const side = Math.min(bitmap.width, bitmap.height)
  const context = new OffscreenCanvas(size, size).getContext('2d', { willReadFrequently: true })!
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, size, size)
  bitmap.close()
  return onGround(context.getImageData(0, 0, size, size).data)
}

/**
 * A picture on the ground, as `@dit/data` puts it there:
 *
 *   level = (alpha level + (255 - alpha) ground) / 255, rounded
 *
 * @param rgba `[size, size, 4]` bytes, alpha not multiplied in
 */
export function onGround(rgba: Uint8ClampedArray): DecodedPicture {
  const area = rgba.length / 4
  const planes = new Uint8Array(3 * area)
  let isTransparent = false
  for (let pixel = 0; pixel < area; pixel++) {
    const alpha = rgba[4 * pixel + 3]
    isTransparent ||= alpha < 255
    for (let channel = 0; channel < 3; channel++) {
      const level = rgba[4 * pixel + channel]
      planes[channel * area + pixel] = Math.floor((alpha * level + (255 - alpha) * GROUND + 127) / 255)
    }
  }
  return { planes, isTransparent }
}
