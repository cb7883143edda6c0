import { elementsOf, type StoredArray } from '@dit/checkpoint'
import { type FileSource, type TensorInParts, writeSafetensorsFile } from '@dit/checkpoint/node'
import { ConditionsError } from './conditions-error.js'
import type { Entries, StoredCondition } from './stored-conditions.js'

/** Bytes and rows that are read at a time, at most. */
const PART_BYTES = 2 ** 22
const PART_ROWS = 1024

export interface RowsToCopy {
  readonly source: FileSource
  readonly entries: Entries
  readonly conditions: readonly StoredCondition[]
  readonly files: readonly string[] | null
  readonly rows: ArrayLike<number>
}

/** Writes rows of every tensor of a file of conditions into another file, a part at a time. */
export async function copyRows(path: string, { source, entries, conditions, files, rows }: RowsToCopy): Promise<void> {
  const tensors = [...entries].map(([name, { dtype, shape, byteOffset, byteLength }]): [string, TensorInParts] => {
    const rowBytes = shape[0] === 0 ? 0 : byteLength / shape[0]
    async function* parts(): AsyncGenerator<StoredArray['data']> {
      const each = Math.max(1, Math.min(PART_ROWS, Math.floor(PART_BYTES / Math.max(1, rowBytes))))
      for (let first = 0; first < rows.length; first += each) {
        const part = new Uint8Array(rowBytes * Math.min(each, rows.length - first))
        const read = async (_: unknown, i: number) => {
          const start = byteOffset + rows[first + i] * rowBytes
          part.set(await bytesOf(source, start, start + rowBytes), i * rowBytes)
        }
        await Promise.all(Array.from({ length: part.length / Math.max(1, rowBytes) }, read))
        yield elementsOf({ dtype, shape }, part).data
      }
    }
    return [name, { dtype, shape: [rows.length, ...shape.slice(1)], parts }]
  })
  const classes = conditions.flatMap((each) => (each.kind === 'label' ? [[each.name, each.classes] as const] : []))
  const metadata = {
    ...(files === null ? {} : { files: JSON.stringify(Array.from(rows, (row) => files[row])) }),
    ...(classes.length === 0 ? {} : { classes: JSON.stringify(Object.fromEntries(classes)) }),
  }
  await writeSafetensorsFile(path, new Map(tensors), { metadata, sync: true })
}

/** @throws ConditionsError where the file has become shorter than it was */
export async function bytesOf(source: FileSource, start: number, end: number): Promise<Uint8Array> {
  const bytes = await source.read(start, end)
  if (bytes.length === end - start) return bytes
  throw new ConditionsError(`${source.name}: it was cut short after it was opened`)
}
