import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import sharp from 'sharp'

const CLASSES = ['t-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle-boot']

/**
 * Writes `train/<class>` and `test/<class>`; returns a line that says what was written.
 *
 * @param isPositive the set stores its photographs negated, on black; this gives them their own light again, on white
 */
export async function writeFashion(from: string, out: string, { isPositive = false } = {}): Promise<string> {
  let total = 0
  for (const [part, prefix] of [
    ['train', 'train'],
    ['test', 't10k'],
  ] as const) {
    const pictures = await idx(join(from, `${prefix}-images-idx3-ubyte`))
    const labels = await idx(join(from, `${prefix}-labels-idx1-ubyte`))
    const [count, height, width] = pictures.shape
    for (const name of CLASSES) await mkdir(join(out, part, name), { recursive: true })
    for (let i = 0; i < count; i++) {
      const bytes = pictures.data.subarray(i * height * width, (i + 1) * height * width)
      const path = join(out, part, CLASSES[labels.data[i]], `${String(i).padStart(5, '0')}.png`)
      const seen = isPositive ? bytes.map((value) => 255 - value) : bytes
      await sharp(seen, { raw: { width, height, channels: 1 } })
        .png()
        .toFile(path)
    }
    total += count
  }
  return `${total} pictures of ${CLASSES.length} classes in ${out}`
}

/** An array of bytes in LeCun's idx format, gzipped or not. */
async function idx(path: string): Promise<{ readonly shape: number[]; readonly data: Uint8Array }> {
  const bytes = await readFile(path).catch(async () => gunzipSync(await readFile(`${path}.gz`)))
  const rank = bytes[3]
  if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 8 || rank < 1)
    throw new Error(`${path} is not an idx file of bytes`)
  const shape = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i))
  return { shape, data: bytes.subarray(4 + 4 * rank) }
}
