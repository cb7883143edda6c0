import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSafetensors } from '@dit/checkpoint'
import { type Backend, type Params, tensor, type Tensor } from '@dit/tensor'
import type { Case } from './manifest.js'

export type Values = Float32Array | Float64Array | Int32Array

interface Stored {
  readonly shape: readonly number[]
  readonly data: Values
}

/** The tensors of a case, on the host, with ways to put them on the backend under test. */
export interface Fixture {
  readonly backend: Backend
  has(name: string): boolean
  /** Names under a prefix, without it. */
  names(prefix: string): string[]
  values(name: string): Values
  shape(name: string): readonly number[]
  /** `in.<name>` as a tensor. */
  input(name: string): Tensor
  ints(name: string): Int32Array
  /** Timesteps may be fractional, and are then float32. */
  timesteps(name: string): Int32Array | Float32Array
  /** State dict under a prefix such as `model.`. */
  params(prefix: string): Params
}

/** Reads a case's file after checking it against the manifest's size and checksum. */
export async function readFixture(folder: string, entry: Case, backend: Backend): Promise<Fixture> {
  const stored = new Map<string, Stored>()
  if (entry.file !== undefined) {
    const bytes = await readChecked(folder, { file: entry.file, bytes: entry.bytes!, sha256: entry.sha256! })
    const file = readSafetensors(bytes)
    for (const name of file.entries.keys()) {
      const { shape, data } = await file.tensor(name)
      stored.set(name, { shape, data: data as Values })
    }
  }
  const get = (name: string) => {
    const found = stored.get(name)
    if (found === undefined) throw new Error(`the file holds no tensor ${name}`)
    return found
  }
  return {
    backend,
    has: (name) => stored.has(name),
    names: (prefix) =>
      [...stored.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)),
    values: (name) => get(name).data,
    shape: (name) => get(name).shape,
    input: (name) => tensor(get(`in.${name}`).data, get(`in.${name}`).shape, { backend, dtype: backend.float }),
    ints: (name) => get(`in.${name}`).data as Int32Array,
    timesteps: (name) => get(`in.${name}`).data as Int32Array | Float32Array,
    params: (prefix) =>
      Object.fromEntries(
        [...stored]
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, { shape, data }]) => [name.slice(prefix.length), tensor(data, shape, { backend })]),
      ),
  }
}

/** @throws Error when the file is not the one the manifest describes */
export async function readChecked(
  folder: string,
  { file, bytes, sha256 }: { file: string; bytes: number; sha256: string },
): Promise<Uint8Array> {
  const contents = await readFile(join(folder, file))
  const digest = createHash('sha256').update(contents).digest('hex')
  if (contents.length !== bytes || digest !== sha256)
    throw new Error(`${file} is not the file that the manifest describes`)
  return contents
}
