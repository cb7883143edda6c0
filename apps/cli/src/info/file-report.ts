import { openSafetensorsFile } from '@dit/checkpoint/node'
import { type DiTConfig, inferConfig } from '@dit/model'
import { sizeOf } from '@dit/tensor'
import { formatBytes, formatCount, formatTable } from '../terminal/format.js'

export interface TensorReport {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
}

/** What a safetensors file holds. */
export interface FileReport {
  readonly path: string
  readonly values: number
  readonly bytes: number
  readonly tensors: readonly TensorReport[]
  readonly metadata: Readonly<Record<string, string>>
  /** Null where it is not the parameters of a DiT. */
  readonly model: DiTConfig | null
  readonly assumptions: readonly string[]
}

/**
 * Reads the header of a file.
 *
 * @throws SafetensorsError when it is damaged or something else
 */
export async function reportFile(path: string): Promise<FileReport> {
  const file = await openSafetensorsFile(path)
  try {
    const entries = [...file.entries]
    const inferred = inferConfig(new Map(entries.map(([name, { shape }]) => [name, shape])))
    return {
      path,
      values: entries.reduce((total, [, { shape }]) => total + sizeOf(shape), 0),
      bytes: entries.reduce((total, [, { byteLength }]) => total + byteLength, 0),
      tensors: entries.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
      metadata: { ...file.metadata },
      model: inferred?.config ?? null,
      assumptions: inferred?.assumptions ?? [],
    }
  } finally {
    await file.close()
  }
}

export function fileLines({ path, values, bytes, tensors, metadata }: FileReport): string[] {
  const kinds = [...new Set(tensors.map(({ dtype }) => dtype))].join(', ')
  const notes = Object.entries(metadata).map(([key, value]) => `${key} ${value}`)
  return formatTable([
    ['file', path],
    ['', `${formatCount(tensors.length)} tensors of ${kinds}; ${formatCount(values)} values, ${formatBytes(bytes)}`],
    ...(notes.length === 0 ? [] : [['', `metadata: ${notes.join(', ')}`]]),
  ])
}

export function tensorLines(tensors: readonly TensorReport[]): string[] {
  const rows = tensors.map(({ name, dtype, shape }) => [
    name,
    dtype,
    `[${shape.join(', ')}]`,
    formatCount(sizeOf(shape)),
  ])
  return formatTable([['tensor', 'dtype', 'shape', 'values'], ...rows], [false, false, false, true])
}
