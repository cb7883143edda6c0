/** Levels from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number]

/** A picture that had an alpha channel. */
export interface FlatPicture {
  /** `[height, width, 3]` bytes */
  readonly data: Uint8Array
  /** some pixel lets the background through */
  readonly isTransparent: boolean
  /** nearly all that is not transparent has the colour of the background, or nothing is left */
  readonly isSwallowed: boolean
}

/** How far a level may be from the background's to look like it. */
const NEAR = 8
/** Share of the opaque pixels that look like the background in a picture that it swallows. */
const SWALLOWED = 0.9
/** Alpha from which a pixel counts as opaque. */
const OPAQUE = 128

/**
 * Puts a picture on a background, as browsers and Pillow's `alpha_composite` do: in the levels of the file, not in linear light.
 *
 *   level = (alpha level + (255 - alpha) background) / 255, rounded
 *
 * @param rgba        `[height, width, 4]` bytes, alpha not multiplied in; overwritten
 * @param background  its colour, under every pixel
 */
export function putOnBackground(rgba: Uint8Array, background: Rgb): FlatPicture {
  let [numOpaque, numNear, isTransparent] = [0, 0, false]
  const count = rgba.length / 4
  for (let pixel = 0; pixel < count; pixel++) {
    const [from, to] = [4 * pixel, 3 * pixel]
    const alpha = rgba[from + 3]
    if (alpha < 255) isTransparent = true
    let distance = 0
    for (let channel = 0; channel < 3; channel++) {
      const level = rgba[from + channel]
      distance = Math.max(distance, Math.abs(level - background[channel]))
      rgba[to + channel] = Math.floor((alpha * level + (255 - alpha) * background[channel] + 127) / 255)
    }
    if (alpha < OPAQUE) continue
    numOpaque++
    if (distance <= NEAR) numNear++
  }
  return {
    data: rgba.subarray(0, 3 * count),
    isTransparent,
    isSwallowed: isTransparent && numNear >= SWALLOWED * numOpaque,
  }
}

/**
 * The levels of a colour.
 *
 * @param who     the function that was given it
 * @param colour  `#rrggbb`
 * @throws RangeError for anything else
 */
export function rgbOf(who: string, colour: string): Rgb {
  if (!/^#[0-9a-f]{6}$/i.test(colour)) {
    throw new RangeError(`${who}: background must be a colour such as #ffffff, or null (background is ${colour})`)
  }
  const value = Number.parseInt(colour.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}
