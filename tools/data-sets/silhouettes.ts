import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import sharp from 'sharp'

const CLASSES = ['bear', 'bird', 'cat', 'cow', 'dog', 'elephant', 'giraffe', 'horse', 'sheep', 'zebra']
const [COUNT, SIDE] = [10_000, 28]

/** Writes `<class>` folders of an unpacked package `animal-mnist` without duplicates; returns a line that says what was written. */
export async function writeSilhouettes(from: string, out: string): Promise<string> {
  const folder = join(from, 'src', 'animal_mnist', 'data', 'Animal_MNIST')
  const pictures = await pickledBytes(join(folder, 'animal_data_version_3.gz'), 'u1', COUNT * SIDE * SIDE)
  const labels = await pickledBytes(join(folder, 'animal_label_version_3.gz'), 'i8', COUNT * 8)
  for (const name of CLASSES) await mkdir(join(out, name), { recursive: true })
  const seen = new Set<string>()
  for (let i = 0; i < COUNT; i++) {
    const bytes = pictures.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE)
    const key = bytes.toString('latin1')
    if (seen.has(key)) continue
    seen.add(key)
    const name = CLASSES[labels[i * 8]]
    if (name === undefined) throw new Error(`silhouettes: label ${i} is ${labels[i * 8]}; there are ${CLASSES.length}`)
    await sharp(bytes, { raw: { width: SIDE, height: SIDE, channels: 1 } })
      .png()
      .toFile(join(out, name, `${String(i).padStart(5, '0')}.png`))
  }
  return `${seen.size} pictures of ${CLASSES.length} classes in ${out}; ${COUNT - seen.size} duplicates left out`
}

/** BINBYTES: four bytes of length and so many bytes follow. */
const BINBYTES = 0x42
/** Room for the opcodes that end the pickle. */
const TRAILER = 16

/**
 * The bytes of the only array in a pickle. Nothing is unpickled: the array is a run of bytes that ends where the pickle does, and the text before
 * it names the type.
 */
async function pickledBytes(path: string, dtype: 'u1' | 'i8', length: number): Promise<Buffer> {
  const pickle = gunzipSync(await readFile(path))
  const header = pickle.subarray(0, 512).toString('latin1')
  const isArray = header.includes('numpy.core.multiarray') && header.includes(dtype)
  for (let at = 0; isArray && at < 512 && at + 5 + length <= pickle.length; at++) {
    const isHere = pickle[at] === BINBYTES && pickle.readUInt32LE(at + 1) === length
    if (isHere && pickle.length - (at + 5 + length) <= TRAILER) return pickle.subarray(at + 5, at + 5 + length)
  }
  throw new Error(
    `silhouettes: ${path} must hold one array of ${length} bytes of type ${dtype}, as animal-mnist 0.4 has`,
  )
}
