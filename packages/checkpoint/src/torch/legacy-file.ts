import { readExactly, type ByteSource } from '../byte-source.js'
import { quote } from '../quote.js'
import type { Fail } from './error.js'
import { runPickle } from './pickle.js'
import { CutShort } from './pickle-bytes.js'
import { rootBytes, storageCollector } from './storages.js'
import type { TorchStorage } from './value.js'
import { noMetadata } from './metadata.js'
import { MAX_PICKLE_BYTES, type OpenedTorch } from './zip-file.js'

/** What the format begins with, and its only version. */
const MAGIC = 0x1950a86a20f9469cfc6cn
const VERSION = 1001

/** Bytes that are read first; eight times as many each time the pickles turn out to be longer. */
const FIRST_BYTES = 2 ** 16

/**
 * Opens the format before zip: five pickles (magic number, version, facts about the system, the object, the keys of its storages)
 * and then, in the order of the keys, each storage as a count of elements in eight bytes and the elements.
 */
export async function openLegacy(source: ByteSource, fail: Fail): Promise<OpenedTorch> {
  const { value, placeholders, keys, roots, end } = await readPickles(source, fail)
  const places = new Map<string, number>()
  let at = end
  for (const key of keys) {
    const root = roots.get(key)
    if (root === undefined || places.has(key))
      throw fail(`storage ${quote(key)} must be of the object, and stand in the file once`)
    if (at + 8 > source.size) throw fail(`storage ${quote(key)} must lie within the file (cut short?)`)
    const head = await readExactly(source, at, at + 8, fail)
    const count = new DataView(head.buffer, head.byteOffset, 8).getBigInt64(0, true)
    if (count !== BigInt(root.count)) throw fail(`storage ${quote(key)} must have ${root.count} elements (${count})`)
    places.set(key, at + 8)
    at += 8 + rootBytes(root)
    if (at > source.size) throw fail(`storage ${quote(key)} must lie within the file (cut short?)`)
  }
  const missing = [...roots.keys()].find((key) => !places.has(key))
  if (missing !== undefined) throw fail(`storage ${quote(missing)} must be in the file`)
  if (at !== source.size) throw fail(`the last ${source.size - at} bytes belong to no storage`)

  function storage({ key, byteOffset }: TorchStorage) {
    const place = places.get(key)! + byteOffset
    return (start: number, end: number) =>
      readExactly(source, place + start, place + end, (problem) => fail(`storage ${quote(key)}: ${problem}`))
  }
  return { value, placeholders, metadata: noMetadata(), isBigEndian: false, storage }
}

async function readPickles(source: ByteSource, fail: Fail) {
  for (let length = FIRST_BYTES; ; length *= 8) {
    const bytes = await readExactly(source, 0, Math.min(length, source.size, MAX_PICKLE_BYTES), fail)
    try {
      return parsePickles(bytes, fail)
    } catch (error) {
      if (!(error instanceof CutShort)) throw error
      if (bytes.length === source.size) throw fail('the file ends within a pickle; it is cut short')
      if (bytes.length === MAX_PICKLE_BYTES) throw fail(`the pickles must have at most ${MAX_PICKLE_BYTES} bytes`)
    }
  }
}

function parsePickles(bytes: Uint8Array, fail: Fail) {
  const { persistent, roots } = storageCollector(fail)
  let end = 0
  const placeholders = new Set<string>()
  const next = (id?: typeof persistent): unknown => {
    const done = runPickle(bytes, { at: end, fail, ...(id === undefined ? {} : { persistent: id }) })
    end = done.end
    for (const name of done.placeholders) placeholders.add(name)
    return done.value
  }
  if (next() !== MAGIC) throw fail('must begin with the magic number of torch, or be a zip archive')
  const version = next()
  if (version !== VERSION)
    throw fail(`the version must be ${VERSION} (${typeof version === 'number' ? version : typeof version})`)
  const system = next()
  if (!(system instanceof Map) || system.get('little_endian') !== true) throw fail('the byte order must be little')
  const value = next(persistent)
  const keys = next()
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string'))
    throw fail('the keys of storages must be strings')
  return { value, placeholders: [...placeholders], keys, roots, end }
}
