import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'

/** Pictures of class folders: RGB bytes, `[count, side, side, 3]`. */
export interface LabelledPictures {
  readonly classes: readonly string[]
  readonly labels: Int32Array
  readonly pixels: Uint8Array
  readonly count: number
}

/** Writes square RGB pictures as `00000.png`, `00001.png` ... */
export async function writePictures(folder: string, pictures: readonly Uint8Array[], side: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [i, bytes] of pictures.entries()) {
    const raw = { width: side, height: side, channels: 3 } as const
    await sharp(bytes, { raw })
      .png()
      .toFile(join(folder, `${String(i).padStart(5, '0')}.png`))
  }
}

/** Reads the first pictures of each class, by name. */
export async function readPictures(folder: string, side: number, perClass = Infinity): Promise<LabelledPictures> {
  const classes = (await readdir(folder)).toSorted()
  const [labels, pictures]: [number[], Uint8Array[]] = [[], []]
  for (const [label, name] of classes.entries()) {
    const files = (await readdir(join(folder, name))).filter((file) => file.endsWith('.png')).toSorted()
    for (const file of files.slice(0, perClass)) {
      const read = sharp(join(folder, name, file))
        .toColourspace('srgb')
        .removeAlpha()
        .raw()
      const { data, info } = await read.toBuffer({ resolveWithObject: true })
      if (info.width !== side || info.height !== side || info.channels !== 3)
        throw new Error(
          `${join(folder, name, file)} must be RGB, ${side} x ${side} (it is ${info.width} x ${info.height})`,
        )
      labels.push(label)
      pictures.push(new Uint8Array(data))
    }
  }
  const pixels = new Uint8Array(pictures.length * side * side * 3)
  for (const [i, bytes] of pictures.entries()) pixels.set(bytes, i * side * side * 3)
  return { classes, labels: Int32Array.from(labels), pixels, count: pictures.length }
}

/**
 * Pictures side by side as a PNG, each pixel a square of `zoom` pixels, with a gap of that width between pictures.
 *
 * @param rows    rows of RGB pictures, `[side, side, 3]`; short ones are filled with the ground
 * @param ground  colour between and beside them
 */
export async function gridPng(
  rows: readonly (readonly Uint8Array[])[],
  side: number,
  { zoom = 2, ground = 255 }: { readonly zoom?: number; readonly ground?: number } = {},
): Promise<Uint8Array> {
  const columns = Math.max(...rows.map((row) => row.length))
  const pitch = side + 1
  const [width, height] = [columns * pitch - 1, rows.length * pitch - 1]
  const bytes = new Uint8Array(3 * width * height).fill(ground)
  for (const [r, row] of rows.entries()) {
    for (const [c, picture] of row.entries()) {
      for (let y = 0; y < side; y++) {
        const line = picture.subarray(3 * y * side, 3 * (y + 1) * side)
        bytes.set(line, 3 * ((r * pitch + y) * width + c * pitch))
      }
    }
  }
  const image = sharp(bytes, { raw: { width, height, channels: 3 } })
  return image
    .resize(width * zoom, height * zoom, { kernel: 'nearest' })
    .png({ compressionLevel: 9 })
    .toBuffer()
}
