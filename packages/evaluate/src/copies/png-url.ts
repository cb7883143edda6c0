import type { Pictures } from '@dit/features'

/** Encodes a picture of RGB bytes as a PNG file: `toPng` of `@dit/pipeline` does. */
export type EncodePng = (picture: {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}) => Promise<Uint8Array>

/** One picture as a data URL. */
export async function pngUrl({ width, height, pixels }: Pictures, toPng: EncodePng): Promise<string> {
  const bytes = await toPng({ width, height, data: pixels })
  let text = ''
  // A call takes a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCodePoint(...bytes.subarray(at, at + 0x8000))
  return `data:image/png;base64,${btoa(text)}`
}
