import { drawShape, SHAPE_CLASSES, type ShapeClass, shapeDrawing } from '@dit/data'

/** Side of the pictures of figures, in pixels. */
export const SIDE = 32

/** A picture of a generated class, `[3, SIDE, SIDE]` in [-1, 1]. */
export function shapePicture(shape: ShapeClass): Float32Array {
  return drawShape(shapeDrawing(11, SHAPE_CLASSES.indexOf(shape) + SHAPE_CLASSES.length), SIDE)
}

/**
 * A file of the visitor as such a picture: its middle square, made small. It never leaves the page.
 *
 * @throws TypeError where the file is no picture that the browser can read
 */
export async function filePicture(file: NamedBlob): Promise<Float32Array> {
  const { data } = await squareOf(file, SIDE)
  const area = SIDE * SIDE
  return Float32Array.from({ length: 3 * area }, (_, i) => data[4 * (i % area) + Math.floor(i / area)] / 127.5 - 1)
}

/**
 * The middle square of a file of the visitor, made small, as RGBA, opaque.
 *
 * @param side   in pixels
 * @param ground what lies under its transparent parts: black where nothing is said
 * @throws TypeError where the file is no picture that the browser can read
 */
export async function squareOf(
  file: NamedBlob,
  side: number,
  [red, green, blue]: readonly [red: number, green: number, blue: number] = [0, 0, 0],
): Promise<ImageData> {
  const bitmap = await createImageBitmap(file).catch((cause: unknown) => {
    throw new TypeError(`${file.name ?? 'The file'} is no picture that this browser can read`, { cause })
  })
  const kept = Math.min(bitmap.width, bitmap.height)
  const context = new OffscreenCanvas(side, side).getContext('2d')!
  context.fillStyle = `rgb(${red} ${green} ${blue})`
  context.fillRect(0, 0, side, side)
  // What has this size already keeps its bytes.
  context.imageSmoothingEnabled = kept !== side
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, (bitmap.width - kept) / 2, (bitmap.height - kept) / 2, kept, kept, 0, 0, side, side)
  bitmap.close()
  return context.getImageData(0, 0, side, side)
}

type NamedBlob = Blob & { readonly name?: string }

/** Paints `[3, height, width]` in [-1, 1] on a canvas, a pixel for a pixel; the page makes it large. */
export function paintPicture(canvas: HTMLCanvasElement, picture: ArrayLike<number>, height = SIDE, width = SIDE): void {
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')!
  const image = context.createImageData(width, height)
  const area = width * height
  for (let i = 0; i < area; i++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * i + channel] = Math.round((picture[channel * area + i] + 1) * 127.5)
    }
    image.data[4 * i + 3] = 255
  }
  context.putImageData(image, 0, 0)
}
