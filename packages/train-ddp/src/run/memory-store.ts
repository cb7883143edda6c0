import { readSafetensors, type StoredArray, writeSafetensors } from '@dit/checkpoint'
import { RunLockedError } from '../events.js'
import type { FileRecord, RunStore } from './run-store.js'

const locked = new WeakSet<Map<string, Uint8Array>>()

/** A run in memory, for tests and for pages that keep nothing. */
export function memoryRunStore(files: Map<string, Uint8Array> = new Map()): RunStore {
  const put = (path: string, bytes: Uint8Array) => {
    files.set(path, bytes)
    return record(bytes)
  }
  return {
    location: 'memory',
    async read(path) {
      return files.get(path) ?? null
    },
    write: async (path, contents) =>
      put(path, typeof contents === 'string' ? new TextEncoder().encode(contents) : contents),
    async writeTensors(path, tensors, metadata) {
      const arrays = new Map<string, StoredArray>()
      for (const [name, { dtype, shape, data }] of tensors) {
        arrays.set(name, { dtype, shape, data: typeof data === 'function' ? await data() : data } as StoredArray)
      }
      return put(path, writeSafetensors(arrays, metadata))
    },
    async openTensors(path) {
      const bytes = files.get(path)
      if (bytes === undefined) throw new Error(`memoryRunStore: there is no file ${path}`)
      return { ...readSafetensors(bytes), close: async () => {} }
    },
    inspect: async (path) => (files.has(path) ? record(files.get(path)!) : null),
    async append(path, text) {
      const before = files.get(path) ?? new Uint8Array()
      const added = new TextEncoder().encode(text)
      const joined = new Uint8Array(before.length + added.length)
      joined.set(before)
      joined.set(added, before.length)
      files.set(path, joined)
    },
    async truncate(path, bytes) {
      files.set(path, (files.get(path) ?? new Uint8Array()).slice(0, bytes))
    },
    async flush() {},
    async list(path) {
      const prefix = path === '' ? '' : `${path}/`
      const inside = [...files.keys()].filter((name) => name.startsWith(prefix))
      return [...new Set(inside.map((name) => name.slice(prefix.length).split('/')[0]))].toSorted()
    },
    async remove(path) {
      for (const name of files.keys()) if (name === path || name.startsWith(`${path}/`)) files.delete(name)
    },
    async lock() {
      if (locked.has(files)) throw new RunLockedError('memory: another train is writing to this store')
      locked.add(files)
      return async () => void locked.delete(files)
    },
  }
}

async function record(bytes: Uint8Array): Promise<FileRecord> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  return { bytes: bytes.length, sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') }
}
