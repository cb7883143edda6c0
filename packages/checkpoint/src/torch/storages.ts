import { itemBytes } from '../dtype.js'
import { quote } from '../quote.js'
import type { Fail } from './error.js'
import { type PickleGlobal, type StorageType, storageType } from './globals.js'
import { TorchPlaceholder } from './placeholder.js'
import { TorchStorage } from './value.js'

/** Elements and bytes of what a key stands for in the file. */
export interface RootStorage {
  readonly key: string
  /** Null for untyped bytes, the bytes of an element where it is not read. */
  readonly dtype: StorageType
  /** Elements; bytes where the dtype is null. */
  readonly count: number
}

/**
 * Makes storages of persistent ids `('storage', class, key, location, count)`, and notes which keys the file must have. Old files
 * add a view `(key, offset, count)` or None: a part of the storage that is stored.
 */
export function storageCollector(fail: Fail) {
  const roots = new Map<string, RootStorage>()
  const made = new Map<string, TorchStorage>()

  function persistent(id: unknown): TorchStorage | TorchPlaceholder {
    if (!Array.isArray(id) || id[0] !== 'storage' || id.length < 5 || id.length > 6) {
      throw fail('a persistent id must be of a storage')
    }
    const [, type, key, location, count, view = null] = id as unknown[]
    const dtype = storageType(type)
    if (dtype === undefined) throw fail('a storage must be of a known class')
    if (typeof key !== 'string' || !isCount(count)) throw fail('a storage must have a key and a count of elements')
    if (location === 'meta') throw fail(`storage ${quote(key)} was saved without its elements (on the device "meta")`)
    const known = roots.get(key)
    if (known !== undefined && (known.dtype !== dtype || known.count !== count)) {
      throw fail(`storage ${quote(key)} must have one class and size`)
    }
    roots.set(key, { key, dtype, count })
    if (typeof dtype === 'number') return new TorchPlaceholder((type as PickleGlobal).name)
    const part = view === null ? { offset: 0, count } : viewOf(view, count)
    const name = `${part.offset} ${part.count} ${key}`
    const size = dtype === null ? 1 : itemBytes(dtype)
    const storage = made.get(name) ?? new TorchStorage(key, part.count * size, dtype, part.offset * size)
    made.set(name, storage)
    return storage
  }

  function viewOf(view: unknown, total: number): { offset: number; count: number } {
    const [, offset, count] = Array.isArray(view) ? (view as unknown[]) : []
    if (!isCount(offset) || !isCount(count) || offset + count > total) {
      throw fail('a view of a storage must lie within it')
    }
    return { offset, count }
  }

  return { persistent, roots }
}

/** Below 2^49, so that its bytes stay below 2^53. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 49
}

/** Bytes that a storage takes in the file. */
export function rootBytes({ dtype, count }: RootStorage): number {
  if (dtype === null) return count
  return count * (typeof dtype === 'number' ? dtype : itemBytes(dtype))
}
