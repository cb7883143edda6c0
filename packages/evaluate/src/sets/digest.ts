import { sha256Of } from '@dit/checkpoint/web'
import type { Pictures } from '@dit/features'

/** SHA-256 of a text, as hex. */
export async function textDigest(text: string): Promise<string> {
  return sha256Of(new TextEncoder().encode(text))
}

/** SHA-256 of each picture, as hex. Pictures of two sizes have two digests, whatever their bytes. */
export async function pictureDigests({ count, height, width, pixels }: Pictures): Promise<string[]> {
  const bytes = height * width * 3
  const framed = new Uint8Array(8 + bytes)
  new DataView(framed.buffer).setUint32(0, height)
  new DataView(framed.buffer).setUint32(4, width)
  const digests: string[] = []
  for (let i = 0; i < count; i++) {
    framed.set(pixels.subarray(i * bytes, (i + 1) * bytes), 8)
    digests.push(await sha256Of(framed))
  }
  return digests
}
