import { readExactly, type ByteSource } from '../byte-source.js'
import { quote } from '../quote.js'
import { readZipDirectory, type ZipEntry } from '../zip/directory.js'
import { checkCrc, findZipContent, readZipEntry } from '../zip/read-entry.js'
import type { Fail } from './error.js'
import { MAX_METADATA_BYTES, METADATA_ENTRY, noMetadata, parseMetadata } from './metadata.js'
import { runPickle } from './pickle.js'
import { CutShort } from './pickle-bytes.js'
import type { ReadStorage } from './read-tensor.js'
import { type RootStorage, rootBytes, storageCollector } from './storages.js'
import type { TorchStorage } from './value.js'

/** What the readers of both formats give: the pickled value, unchecked, and the bytes of its storages. */
export interface OpenedTorch {
  readonly value: unknown
  readonly metadata: Readonly<Record<string, string>>
  readonly storage: (storage: TorchStorage) => ReadStorage
}

/** Largest pickle that is read, in bytes. That of a model of 10,000 tensors takes 2 MB. */
export const MAX_PICKLE_BYTES = 2 ** 26

/**
 * Opens the format of torch 1.6 and later: a zip archive with one folder, in it `data.pkl`, `byteorder` and one file for each
 * storage under `data/`.
 */
export async function openZip(source: ByteSource, fail: Fail): Promise<OpenedTorch> {
  const entries = await readZipDirectory(source, fail)
  const pickleName = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name))
  if (pickleName === undefined) throw fail('a zip archive must hold data.pkl in a folder, as torch.save writes it')
  const folder = pickleName.slice(0, -'data.pkl'.length)
  if (entries.has(`${folder}constants.pkl`)) {
    throw fail('this is a TorchScript archive, a program; save the state_dict() of the module instead')
  }
  const read = (name: string, maxBytes: number) => {
    const failHere = (problem: string) => fail(`entry ${quote(name)}: ${problem}`)
    return readZipEntry(source, entries.get(name)!, maxBytes, failHere)
  }
  if (entries.has(`${folder}byteorder`)) {
    const order = new TextDecoder().decode(await read(`${folder}byteorder`, 16))
    if (order !== 'little') throw fail(`the byte order must be little (${quote(order)})`)
  }

  const { persistent, roots } = storageCollector(fail)
  const value = pickledValue(await read(pickleName, MAX_PICKLE_BYTES), persistent, fail)
  const places = new Map<string, ZipEntry>()
  for (const root of roots.values()) places.set(root.key, storageEntry(entries, folder, root, fail))

  function storage({ key, byteOffset, bytes }: TorchStorage): ReadStorage {
    const entry = places.get(key)!
    const failHere = (problem: string) => fail(`storage ${quote(key)}: ${problem}`)
    return async (start, end) => {
      const content = (await findZipContent(source, entry, failHere)) + byteOffset
      const part = await readExactly(source, content + start, content + end, failHere)
      const isWhole = start === 0 && end === bytes && bytes === entry.bytes
      if (isWhole) checkCrc(part, entry, failHere)
      return part
    }
  }
  const metadataName = `${folder}${METADATA_ENTRY}`
  const metadata = entries.has(metadataName)
    ? parseMetadata(await read(metadataName, MAX_METADATA_BYTES), (problem) =>
        fail(`entry ${quote(metadataName)}: ${problem}`),
      )
    : noMetadata()
  return { value, metadata, storage }
}

function pickledValue(bytes: Uint8Array, persistent: (id: unknown) => unknown, fail: Fail): unknown {
  try {
    const { value, end } = runPickle(bytes, { persistent, fail })
    if (end !== bytes.length) throw fail(`data.pkl must hold one pickle (${bytes.length - end} bytes after it)`)
    return value
  } catch (error) {
    if (error instanceof CutShort) throw fail('data.pkl ends within the pickle; the file is damaged')
    throw error
  }
}

function storageEntry(entries: ReadonlyMap<string, ZipEntry>, folder: string, root: RootStorage, fail: Fail): ZipEntry {
  const who = `storage ${quote(root.key)}`
  const entry = entries.get(`${folder}data/${root.key}`)
  if (entry === undefined) throw fail(`${who} must be in the archive`)
  if (entry.bytes !== rootBytes(root)) {
    throw fail(`${who} must have ${rootBytes(root)} bytes (the archive has ${entry.bytes})`)
  }
  // As torch writes it. What were packed could take a thousand times its bytes in the file, at each reading of a part.
  if (entry.method !== 'stored') throw fail(`${who} must be stored, not compressed`)
  return entry
}
