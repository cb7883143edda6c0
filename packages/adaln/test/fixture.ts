import { readFileSync } from 'node:fs'

/** Tensors of a safetensors file under `fixtures/`, by name. */
export function readFixture(name: string): ReadonlyMap<string, Float32Array | Int32Array> {
  const file = Uint8Array.from(readFileSync(new URL(`fixtures/${name}.safetensors`, import.meta.url)))
  const headerLength = Number(new DataView(file.buffer).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerLength))) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >
  return new Map(
    Object.entries(header)
      .filter(([tensor]) => tensor !== '__metadata__')
      .map(
        ([
          tensor,
          {
            dtype,
            data_offsets: [start, end],
          },
        ]) => {
          const bytes = file.slice(8 + headerLength + start, 8 + headerLength + end)
          return [tensor, dtype === 'I32' ? new Int32Array(bytes.buffer) : new Float32Array(bytes.buffer)]
        },
      ),
  )
}
