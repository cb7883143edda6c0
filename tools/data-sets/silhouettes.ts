import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import sharp from 'sharp'

const CLASSES = ['bear', 'bird', 'cat', 'cow', 'dog', 'elephant', 'giraffe', 'horse', 'sheep', 'zebra']
const COUNT = 10_000
const SIDE = 28

/** Writes a folder per animal, exact duplicates left out; returns a line that says what was written. */
export async function writeSilhouettes(from: string, out: string): Promise<string> {
  const pictures = await arrayOf(join(from, 'animal_data_version_3.gz'), COUNT * SIDE * SIDE)
  const labels = await arrayOf(join(from, 'animal_label_version_3.gz'), COUNT * 8)
  const seen = new Set<string>()
  for (const name of CLASSES) await mkdir(join(out, name), { recursive: true })
  for (let i = 0; i < COUNT; i++) {
    const bytes = pictures.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE)
    const digest = createHash('sha256').update(bytes).digest('hex')
    if (seen.has(digest)) continue
    seen.add(digest)
    const path = join(out, CLASSES[labels.readUInt32LE(8 * i)], `${String(i).padStart(5, '0')}.png`)
    const picture = sharp(bytes, { raw: { width: SIDE, height: SIDE, channels: 1 } })
    await picture.png().toFile(path)
  }
  return `${seen.size} pictures of ${CLASSES.length} animals in ${out}; ${COUNT - seen.size} duplicates were left out`
}

/**
 * The values of the one numpy array in a pickle, without unpickling: an array's bytes follow the opcode BINBYTES (`B`) and their
 * length, or in protocol 5 BINBYTES8.
 */
async function arrayOf(path: string, length: number): Promise<Buffer> {
  const pickle = gunzipSync(await readFile(path), { maxOutputLength: 2 * length + 1000 })
  const size = Buffer.alloc(4)
  size.writeUInt32LE(length)
  const at = pickle.indexOf(Buffer.concat([Buffer.from('B'), size]))
  if (at < 0 || at + 5 + length > pickle.length) throw new Error(`${path} has no array of ${length} bytes`)
  return pickle.subarray(at + 5, at + 5 + length)
}
