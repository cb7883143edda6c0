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
export async function filePicture(file: Blob & { readonly name?: string }): Promise<Float32Array> {
  const bitmap = await createImageBitmap(file).catch((cause: unknown) => {
    throw new TypeError(`${file.name ?? 'The file'} is no picture that this browser can read`, { cause })
  })
  const side = Math.min(bitmap.width, bitmap.height)
  const canvas = new OffscreenCanvas(SIDE, SIDE)
  const context = canvas.getContext('2d')!
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, SIDE, SIDE)
  bitmap.close()
  const { data } = context.getImageData(0, 0, SIDE, SIDE)
  const area = SIDE * SIDE
  return Float32Array.from({ length: 3 * area }, (_, i) => data[4 * (i % area) + Math.floor(i / area)] / 127.5 - 1)
}

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
