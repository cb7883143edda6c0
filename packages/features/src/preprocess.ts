import type { Pictures } from './extractor.js'
import { checkResizeMethod, resizer, type ResizeMethod } from './resize/resize.js'

/** A number for all three channels, or one for red, green and blue each. */
export type PerChannel = number | readonly [number, number, number]

/** What happens to pictures before a network sees them. */
export interface Preprocessing {
  readonly size: readonly [height: number, width: number]
  readonly resize: ResizeMethod
  /** The network sees (x - mean) / std, with x in 0 .. 255. */
  readonly mean: PerChannel
  readonly std: PerChannel
}

/**
 * Pictures as a network takes them: resized, then (x - mean) / std in float32, channel by channel.
 *
 * @param range  which pictures: from `start` up to but without `end`; all by default
 * @returns `[end - start, 3, height, width]`
 * @throws RangeError for a preprocessing or pictures that make no sense
 */
export function networkInput(
  pictures: Pictures,
  preprocessing: Preprocessing,
  { start = 0, end = pictures.count }: { readonly start?: number; readonly end?: number } = {},
): Float32Array {
  checkPictures('networkInput', pictures)
  checkPreprocessing('networkInput', preprocessing)
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > pictures.count) {
    throw new RangeError(`networkInput: the range must lie within 0 .. ${pictures.count} (got ${start} .. ${end})`)
  }
  return networkInputUnchecked(pictures, preprocessing, start, end)
}

/** `networkInput` without the checks. */
export function networkInputUnchecked(
  { height: fromHeight, width: fromWidth, pixels }: Pictures,
  { size: [height, width], resize, mean, std }: Preprocessing,
  start: number,
  end: number,
): Float32Array {
  if (start === end) return new Float32Array()
  const resized = resizer('networkInput', { height: fromHeight, width: fromWidth, channels: 3 }, height, width, resize)
  const [places, pictureBytes] = [height * width, fromHeight * fromWidth * 3]
  const [means, stds] = [perChannel(mean), perChannel(std)]
  const out = new Float32Array((end - start) * 3 * places)
  for (let n = start, to = 0; n < end; n++) {
    const picture = resized(pixels.subarray(n * pictureBytes, (n + 1) * pictureBytes)) // [height, width, 3]
    for (let c = 0; c < 3; c++) {
      const [shift, scale] = [means[c], stds[c]]
      for (let i = 0; i < places; i++) out[to++] = Math.fround(picture[3 * i + c] - shift) / scale
    }
  }
  return out
}

/** @throws RangeError unless there are as many pixels as the sizes say */
export function checkPictures(who: string, { count, height, width, pixels }: Pictures): void {
  const isCount = Number.isInteger(count) && count >= 0
  if (!isCount || ![height, width].every((extent) => Number.isInteger(extent) && extent >= 1)) {
    throw new RangeError(
      `${who}: pictures must have a count, a height and a width (got [${count}, ${height}, ${width}])`,
    )
  }
  if (pixels.length !== count * height * width * 3) {
    throw new RangeError(
      `${who}: pictures [${count}, ${height}, ${width}, 3] need ${count * height * width * 3} bytes (got ${pixels.length})`,
    )
  }
}

/** @throws RangeError for a size below 1, an unknown way to resize, or numbers that are not finite */
export function checkPreprocessing(who: string, { size, resize, mean, std }: Preprocessing): void {
  if (size.length !== 2 || !size.every((extent) => Number.isInteger(extent) && extent >= 1)) {
    throw new RangeError(`${who}: size must be a height and a width of 1 or more (got ${size.join(' x ')})`)
  }
  checkResizeMethod(who, resize)
  const [means, stds] = [perChannel(mean), perChannel(std)]
  if (means.length !== 3 || !means.every(Number.isFinite)) {
    throw new RangeError(`${who}: mean must be a number or three (got ${means.join(', ')})`)
  }
  if (stds.length !== 3 || !stds.every((value) => Number.isFinite(value) && value > 0)) {
    throw new RangeError(`${who}: std must be a number above 0 or three (got ${stds.join(', ')})`)
  }
}

/** A preprocessing as part of a fingerprint. */
export function preprocessingText({ size, resize, mean, std }: Preprocessing): string {
  return `${size.join('x')} ${resize} mean ${perChannel(mean).join(',')} std ${perChannel(std).join(',')}`
}

function perChannel(value: PerChannel): readonly number[] {
  return typeof value === 'number' ? [value, value, value] : value
}
