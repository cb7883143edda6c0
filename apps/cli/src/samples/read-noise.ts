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
import type { RecordedNoise } from '@dit/pipeline'
import { UsageError } from '../terminal/errors.js'

/** Names under which an array is found beside others. */
const NAMES = ['noise', 'draws', 'arr_0']

/**
 * The noise in an `.npy`, `.npz` or `.safetensors` file: its only array, or that named `noise`, `draws` or `arr_0`. Its shape is checked by
 * whoever samples.
 *
 * @param flag for messages
 * @throws UsageError for a file that is damaged or holds no such array
 */
export async function readNoise(flag: string, path: string): Promise<RecordedNoise> {
  const array = await readArray(flag, path)
  return { values: floatsOf(flag, path, array), shape: array.shape }
}
async function readArray(flag: string, path: string): Promise<StoredArray> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UsageError(`${flag} ${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause })
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
        throw new UsageError(`${flag} ${path}: the name must end in .npy, .npz or .safetensors`)
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
    `${flag} ${path}: the file must hold one array, or one named ${NAMES.join(', ')} (it has ${names.slice(0, 6).join(', ') || 'none'})`,
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
