import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import {
  NpyError,
  readNpy,
  readNpz,
  readSafetensors,
  SafetensorsError,
  type StoredArray,
  toFloat32,
} from '@dit/checkpoint'
import { UsageError } from '../terminal/errors.js'

/** Recorded draws of normal noise, one block for each step. */
export interface RecordedNoise {
  readonly values: Float32Array
  readonly shape: readonly number[]
}

/** Names under which an array is found beside others. */
const NAMES = ['noise', 'draws', 'arr_0']

/**
 * The noise in an `.npy`, `.npz` or `.safetensors` file: its only array, or that named `noise`, `draws` or `arr_0`.
 *
 * @param flag for messages
 * @param shape `[N, C, H, W]` for the start, `[draws, N, C, H, W]` for the steps
 * @throws UsageError for a file that is damaged, holds no such array, or one of another shape or with values that are not finite
 */
export async function readRecordedNoise(flag: string, path: string, shape: readonly number[]): Promise<RecordedNoise> {
  const array = await readArray(flag, path)
  const isSame = array.shape.length === shape.length && array.shape.every((size, axis) => size === shape[axis])
  if (!isSame) {
    throw new UsageError(
      `${flag} ${path}: the array must be [${shape.join(', ')}], as the samples asked for are (got [${array.shape.join(', ')}])`,
    )
  }
  const values = floatsOf(flag, path, array)
  if (values.every(Number.isFinite)) return { values, shape }
  throw new UsageError(`${flag} ${path}: every value must be finite`)
}

async function readArray(flag: string, path: string): Promise<StoredArray> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UsageError(`${flag} ${path}: it cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause })
  })
  try {
    switch (extname(path).toLowerCase()) {
      case '.npy':
        return readNpy(bytes)
      case '.npz': {
        const arrays = await readNpz(bytes)
        return arrays.get(chosen(flag, path, [...arrays.keys()]))!
      }
      case '.safetensors': {
        const file = readSafetensors(bytes)
        return await file.tensor(chosen(flag, path, [...file.entries.keys()]))
      }
      default:
        throw new UsageError(`${flag} ${path}: it must end in .npy, .npz or .safetensors`)
    }
  } catch (error) {
    if (!(error instanceof NpyError || error instanceof SafetensorsError)) throw error
    throw new UsageError(`${flag} ${path}: ${error.message}`, { cause: error })
  }
}

function chosen(flag: string, path: string, names: readonly string[]): string {
  const name = names.length === 1 ? names[0] : NAMES.find((known) => names.includes(known))
  if (name !== undefined) return name
  throw new UsageError(
    `${flag} ${path}: it must hold one array, or one named ${NAMES.join(', ')} (it has ${names.slice(0, 6).join(', ') || 'none'})`,
  )
}

function floatsOf(flag: string, path: string, array: StoredArray): Float32Array {
  try {
    return toFloat32(array)
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause
    throw new UsageError(`${flag} ${path}: ${cause.message}`, { cause })
  }
}

/**
 * The part of recorded noise that belongs to some of the samples.
 *
 * @param sampleSize C H W
 * @param draw which of the draws of the steps; 0 for a start
 */
export function recordedPart(
  { values, shape }: RecordedNoise,
  { draw = 0, first, count, sampleSize }: { draw?: number; first: number; count: number; sampleSize: number },
): Float32Array {
  const perDraw = shape.length === 5 ? shape[1] * sampleSize : values.length
  const at = draw * perDraw + first * sampleSize
  return values.subarray(at, at + count * sampleSize)
}
