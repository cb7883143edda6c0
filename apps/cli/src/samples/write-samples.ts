import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeNpz } from '@dit/checkpoint'
import type { Pictures } from '@dit/pipeline'
import { comfortableScale, gridPng, picturePng } from '../plot/grid.js'
import { writeWhole } from '../run/write-whole.js'

/** What a grid shows at most; the rest is in single files and npz. */
export const GRID_MAX = { rows: 64, columns: 16 } as const

/** Pictures class by class, `perClass` of each. */
export interface ClassPictures {
  readonly pictures: Pictures
  readonly perClass: number
  /** Name of each class asked for, in order. */
  readonly names: readonly string[]
}

/** A grid with a labelled row for each class, at most `GRID_MAX`; PNG. */
export async function classGrid({ pictures, perClass, names }: ClassPictures): Promise<Buffer> {
  const rows = Math.min(names.length, GRID_MAX.rows)
  const columns = Math.min(perClass, GRID_MAX.columns)
  const { height, width } = pictures
  const size = height * width * 3
  const shown = new Uint8Array(rows * columns * size)
  for (let row = 0; row < rows; row++) {
    const from = row * perClass * size
    shown.set(pictures.pixels.subarray(from, from + columns * size), row * columns * size)
  }
  const some = { count: rows * columns, height, width, pixels: shown }
  return gridPng(some, { columns, rowLabels: names.slice(0, rows), scale: comfortableScale(pictures) })
}

/** One PNG a picture, at its own size: `0007-circle.png`. Returns how many. */
export async function writeSingles(folder: string, { pictures, perClass, names }: ClassPictures): Promise<number> {
  await mkdir(folder, { recursive: true })
  const digits = Math.max(4, String(pictures.count - 1).length)
  for (let i = 0; i < pictures.count; i++) {
    const name = names[Math.floor(i / perClass)].replaceAll(/[^\p{L}\p{N}._-]+/gu, '_')
    await writeWhole(join(folder, `${String(i).padStart(digits, '0')}-${name}.png`), await picturePng(pictures, i))
  }
  return pictures.count
}

/** Pictures as evaluators read them: uint8 `[N, H, W, 3]` named `arr_0`. */
export function samplesNpz({ count, height, width, pixels }: Pictures): Uint8Array {
  return writeNpz({ arr_0: { dtype: 'U8', shape: [count, height, width, 3], data: pixels } })
}

/** Samples as the model makes them: float32 `[N, C, H, W]` named `arr_0`. */
export function latentsNpz(images: Float32Array, shape: readonly [number, number, number]): Uint8Array {
  const count = images.length / (shape[0] * shape[1] * shape[2])
  return writeNpz({ arr_0: { dtype: 'F32', shape: [count, ...shape], data: images } })
}

/** Samples after every step: float32 `[steps, N, C, H, W]` named `arr_0`. The start is not among them. */
export function trajectoryNpz(states: readonly Float32Array[], shape: readonly [number, number, number]): Uint8Array {
  const [first] = states
  const data = new Float32Array(states.length * first.length)
  for (const [step, state] of states.entries()) data.set(state, step * first.length)
  const count = first.length / (shape[0] * shape[1] * shape[2])
  return writeNpz({ arr_0: { dtype: 'F32', shape: [states.length, count, ...shape], data } })
}
