import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TensorToWrite, writeSafetensorsFile } from '@dit/checkpoint/node'
import sharp from 'sharp'

/** Pictures of one colour, by their files, and what each is: the number of its colour, and how bright it is. */
export const TOLD_FILES: readonly string[] = ['a/0.png', 'a/1.png', 'a/2.png', 'b/3.png', 'b/4.png', 'b/5.png']
const SIZE = 3

/** Captions `[n, 2, 3]`: a row for the colour, and a second one for those that are bright; labels and vectors of the same. */
export function toldTensors(numbers: readonly number[]): Record<string, TensorToWrite> {
  const caption = new Float32Array(numbers.length * 2 * SIZE)
  for (const [i, number] of numbers.entries()) {
    caption[i * 2 * SIZE + (number % 3)] = 1
    if (number > 2) caption.fill(1, (i * 2 + 1) * SIZE, (i * 2 + 2) * SIZE)
  }
  const [n, pose] = [numbers.length, numbers.flatMap((number) => [number / 6, 1 - number / 6])]
  return {
    caption: { dtype: 'F32', shape: [n, 2, SIZE], data: caption },
    'caption.length': { dtype: 'I32', shape: [n], data: Int32Array.from(numbers, (number) => (number > 2 ? 2 : 1)) },
    pose: { dtype: 'F32', shape: [n, 2], data: Float32Array.from(pose) },
    style: { dtype: 'I32', shape: [n], data: Int32Array.from(numbers, (number) => number % 2) },
  }
}

/** A folder of these pictures with the file of their conditions, whose rows are in another order, with one of no picture. */
export async function makeToldPictures(folder: string): Promise<void> {
  for (const [number, file] of TOLD_FILES.entries()) {
    mkdirSync(join(folder, file, '..'), { recursive: true })
    const colour = { r: 0, g: 0, b: 0, [['r', 'g', 'b'][number % 3]]: number > 2 ? 255 : 120 }
    const raw = { width: 8, height: 8, channels: 3, background: colour } as const
    await sharp({ create: raw }).png().toFile(join(folder, file))
  }
  const numbers = [5, 4, 3, 2, 1, 0, 0]
  const files = [...numbers.slice(0, -1).map((number) => TOLD_FILES[number]), 'a/gone.png']
  const metadata = { files: JSON.stringify(files) }
  await writeSafetensorsFile(join(folder, 'conditions.safetensors'), toldTensors(numbers), { metadata })
}
