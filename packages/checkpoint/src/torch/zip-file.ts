import { readExactly, type ByteSource } from '../byte-source.js'
import { quote } from '../quote.js'
import { readZipDirectory, type ZipEntry } from '../zip/directory.js'
import { checkCrc, findZipContent, readZipEntry } from '../zip/read-entry.js'
import type { Fail } from './error.js'
import { MAX_METADATA_BYTES, METADATA_ENTRY, noMetadata, parseMetadata } from './metadata.js'
import { type Pickled, runPickle } from './pickle.js'
import { CutShort } from './pickle-bytes.js'
import type { ReadStorage } from './read-tensor.js'
import { type RootStorage, rootBytes, storageCollector } from './storages.js'
import type { TorchStorage } from './value.js'

/** What the readers of both formats give: the pickled value, unchecked, and the bytes of its storages. */
export interface OpenedTorch {
  readonly value: unknown
  readonly placeholders: readonly string[]
  /** Elements lie with their highest byte first. */
  readonly isBigEndian: boolean
  readonly metadata: Readonly<Record<string, string>>
  readonly storage: (storage: TorchStorage) => ReadStorage
}

/** How many times the bytes of the file a compressed storage may have, and what it may have in any case. */
const MAX_UNPACKED = 16
const MIN_UNPACKED_BYTES = 2 ** 24

/** How often all compressed storages may be unpacked. */
const MAX_TURNS = 8

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
  let isBigEndian = false
  if (entries.has(`${folder}byteorder`)) {
    const order = new TextDecoder().decode(await read(`${folder}byteorder`, 16))
    if (order !== 'little' && order !== 'big') throw fail(`the byte order must be little or big (${quote(order)})`)
    isBigEndian = order === 'big'
  }

  const { persistent, roots } = storageCollector(fail)
  const { value, placeholders } = pickled(await read(pickleName, MAX_PICKLE_BYTES), persistent, fail)
  const places = new Map<string, ZipEntry>()
  for (const root of roots.values()) places.set(root.key, storageEntry(entries, folder, root, source.size, fail))

  /** The packed storage that was read last: its tensors follow each other. */
  const limit = MAX_TURNS * ([...places.values()].reduce((sum, { bytes }) => sum + bytes, 0) + MIN_UNPACKED_BYTES)
  let work = 0
  let unpacked: { readonly entry: ZipEntry; readonly content: Uint8Array } | null = null

  function storage({ key, byteOffset, bytes }: TorchStorage): ReadStorage {
    const entry = places.get(key)!
    const failHere = (problem: string) => fail(`storage ${quote(key)}: ${problem}`)
    return async (start, end) => {
      if (entry.method !== 'stored') {
        if (unpacked?.entry !== entry) {
          // Tensors that take turns would have it unpacked again for each.
          work += entry.bytes
          if (work > limit)
            throw failHere('compressed storages must be read one after another; unpack the archive first')
          unpacked = { entry, content: await readZipEntry(source, entry, entry.bytes, failHere) }
        }
        return unpacked.content.slice(byteOffset + start, byteOffset + end)
      }
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
  return { value, placeholders: [...placeholders], metadata, isBigEndian, storage }
}

function pickled(bytes: Uint8Array, persistent: (id: unknown) => unknown, fail: Fail): Pickled {
  try {
    const built = runPickle(bytes, { persistent, fail })
    const { end } = built
    if (end !== bytes.length) throw fail(`data.pkl must hold one pickle (${bytes.length - end} bytes after it)`)
    return built
  } catch (error) {
    if (error instanceof CutShort) throw fail('data.pkl ends within the pickle; the file is damaged')
    throw error
  }
}

function storageEntry(
  entries: ReadonlyMap<string, ZipEntry>,
  folder: string,
  root: RootStorage,
  fileBytes: number,
  fail: Fail,
): ZipEntry {
  const who = `storage ${quote(root.key)}`
  const entry = entries.get(`${folder}data/${root.key}`)
  if (entry === undefined) throw fail(`${who} must be in the archive`)
  if (entry.bytes !== rootBytes(root)) {
    throw fail(`${who} must have ${rootBytes(root)} bytes (the archive has ${entry.bytes})`)
  }
  // Torch stores what others may pack: then a storage must not be a bomb.
  const limit = Math.max(fileBytes * MAX_UNPACKED, MIN_UNPACKED_BYTES)
  if (entry.method !== 'stored' && entry.bytes > limit) {
    throw fail(`${who} is compressed and must unpack to at most ${limit} bytes (${entry.bytes})`)
  }
  return entry
}
