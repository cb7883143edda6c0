import type { PictureData } from '@dit/pipeline'

export type Colour = readonly [red: number, green: number, blue: number]

/** A pixel by its column and row. */
export type Pixel = readonly [x: number, y: number]

/** A square picture of one colour, RGBA. */
export function blankPicture(side: number, colour: Colour): PictureData {
  const data = new Uint8ClampedArray(side * side * 4)
  for (let i = 0; i < side * side; i++) data.set([...colour, 255], 4 * i)
  return { width: side, height: side, data }
}

/**
 * Paints a line with a square brush, in place. What lies outside of the picture is left out.
 *
 * @param size of the brush in pixels; an even one reaches further to the right and down
 */
export function paintLine(
  { width, height, data }: PictureData,
  [fromX, fromY]: Pixel,
  [toX, toY]: Pixel,
  { size, colour }: { readonly size: number; readonly colour: Colour },
): void {
  const numSteps = Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY), 1)
  const before = Math.floor((size - 1) / 2)
  for (let step = 0; step <= numSteps; step++) {
    const left = Math.round(fromX + (step / numSteps) * (toX - fromX)) - before
    const top = Math.round(fromY + (step / numSteps) * (toY - fromY)) - before
    for (let y = Math.max(top, 0); y < Math.min(top + size, height); y++) {
      for (let x = Math.max(left, 0); x < Math.min(left + size, width); x++) {
        data.set([...colour, 255], 4 * (y * width + x))
      }
    }
  }
}

/** The pixel of a picture under a point of the page, within the picture. */
export function pixelAt(
  { clientX, clientY }: { readonly clientX: number; readonly clientY: number },
  box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
  side: number,
): Pixel {
  const within = (share: number) => Math.min(Math.max(Math.floor(share * side), 0), side - 1)
  return [within((clientX - box.left) / box.width), within((clientY - box.top) / box.height)]
}
