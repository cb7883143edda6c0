import type { PagePictures } from './settings.js'

/** Pictures of files, and the names of those that are none. */
export interface ReadFiles {
  readonly pictures: PagePictures
  readonly refused: readonly string[]
}

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
 * @param decode gives RGB planes, `[3, size, size]` bytes, or null for what is no picture
 */
export async function readFiles(
  files: readonly { readonly name: string; readonly webkitRelativePath?: string }[],
  size: number,
  decode: (file: (typeof files)[number], size: number) => Promise<Uint8Array | null>,
): Promise<ReadFiles> {
  const read: { readonly name: string; readonly bytes: Uint8Array }[] = []
  const refused: string[] = []
  for (const file of files) {
    const bytes = await decode(file, size)
    const path = file.webkitRelativePath ?? ''
    if (bytes === null) refused.push(file.name)
    else read.push({ name: classOf(path === '' ? file.name : path), bytes })
  }
  const classes = [...new Set(read.map(({ name }) => name))].toSorted()
  const area = 3 * size * size
  const pixels = new Uint8Array(read.length * area)
  read.forEach(({ bytes }, i) => pixels.set(bytes, i * area))
  return { pictures: { classes, labels: Int32Array.from(read, ({ name }) => classes.indexOf(name)), pixels }, refused }
}

/** Decodes a file of the visitor by the browser, transparent pictures on white. */
export async function decodeFile(file: Blob, size: number): Promise<Uint8Array | null> {
  const bitmap = await createImageBitmap(file).catch(() => null)
  if (bitmap === null) return null
  const side = Math.min(bitmap.width, bitmap.height)
  const canvas = new OffscreenCanvas(size, size)
  const context = canvas.getContext('2d', { willReadFrequently: true })!
  context.fillStyle = 'white'
  context.fillRect(0, 0, size, size)
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, size, size)
  bitmap.close()
  const { data } = context.getImageData(0, 0, size, size)
  const area = size * size
  return Uint8Array.from({ length: 3 * area }, (_, i) => data[4 * (i % area) + Math.floor(i / area)])
}
