import type { StoredArray, TensorFile } from '@dit/checkpoint'
import { type Shape, sizeOf } from '@dit/tensor'
import type { Pictures } from '@dit/features'

// What tools/oracle/feature_weights.py makes, number for number.

/**
 * offset + scale u as float32, with u in [0, 1) from a 32-bit hash of the tensor's place in the sorted list of names, and the number's place in it.
 */
function spread(ordinal: number, count: number, offset: number, scale: number): Float32Array {
  const values = new Float32Array(count)
  const start = ordinal * 2 ** 22
  for (let i = 0; i < count; i++) {
    let h = Math.imul(start + i, 0x9e3779b1)
    h = Math.imul(h ^ (h >>> 15), 0x85ebca77)
    values[i] = offset + scale * (((h ^ (h >>> 13)) >>> 0) / 2 ** 32)
  }
  return values
}

/** Weights for names and shapes, made when they are read; normalizations have statistics that matter. */
export function formulaFile(shapes: Readonly<Record<string, Shape>>): TensorFile {
  const names = Object.keys(shapes).toSorted()
  const entries = new Map(names.map((name) => [name, { dtype: 'F32', shape: shapes[name] } as const]))
  const float32 = async (name: string) => formulaValues(name, shapes[name], names.indexOf(name))
  const tensor = async (name: string): Promise<StoredArray> => ({
    dtype: 'F32',
    shape: [...shapes[name]],
    data: await float32(name),
  })
  return { entries, tensor, float32 }
}

function formulaValues(name: string, shape: Shape, ordinal: number): Float32Array {
  const count = sizeOf(shape)
  if (name.endsWith('.running_var')) return spread(ordinal, count, 0.5, 1)
  if (name.endsWith('.running_mean') || name.endsWith('.bias')) return spread(ordinal, count, -0.2, 0.4)
  if (shape.length === 1) return spread(ordinal, count, 0.75, 0.5)
  const bound = Math.sqrt(6 / sizeOf(shape.slice(1)))
  return spread(ordinal, count, -bound, 2 * bound)
}

/** Pictures: stripes, a hyperbolic pattern and a board of squares; each differs from the others. */
export function formulaPictures(count: number, height: number, width: number): Pictures {
  const pixels = new Uint8Array(count * height * width * 3)
  let at = 0
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const board = 90 * ((Math.floor(x / 16) + Math.floor(y / 16)) % 2)
        for (let c = 0; c < 3; c++, at++) {
          pixels[at] = (x * (5 + 7 * c) + y * 13 + Math.floor((x * y) / 8) + 60 * c + board + 31 * n) % 256
        }
      }
    }
  }
  return { count, height, width, pixels }
}
