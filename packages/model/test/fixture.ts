import { readFileSync } from 'node:fs'
import type { Shape } from '@dit/tensor'

interface Stored {
  readonly shape: Shape
  readonly data: Float32Array | Float64Array | Int32Array
}

const ARRAYS = { F32: Float32Array, F64: Float64Array, I32: Int32Array }

/** Tensors of a safetensors file under `fixtures/`, by name. */
export function readFixture(name: string): ReadonlyMap<string, Stored> {
  const file = Uint8Array.from(readFileSync(new URL(`fixtures/${name}.safetensors`, import.meta.url)))
  const headerLength = Number(new DataView(file.buffer).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerLength))) as Record<
    string,
    { dtype: keyof typeof ARRAYS; shape: number[]; data_offsets: [number, number] }
  >
  return new Map(
    Object.entries(header)
      .filter(([tensor]) => tensor !== '__metadata__')
      .map(
        ([
          tensor,
          {
            dtype,
            shape,
            data_offsets: [start, end],
          },
        ]) => {
          const bytes = file.slice(8 + headerLength + start, 8 + headerLength + end)
          return [tensor, { shape, data: new ARRAYS[dtype](bytes.buffer) }]
        },
      ),
  )
}
