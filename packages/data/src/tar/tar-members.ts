import { paxRecords } from './pax-records.js'
import { type FailTar, TarError } from './tar-error.js'
import { BLOCK, EXTENDED_MORE, readTarHeader, type TarHeader, textOf } from './tar-header.js'
import { type TarSource, windowed } from './tar-source.js'

/** What a member is; only files have a content to use. `other` is of a kind that this reader does not know. */
export type TarKind = 'file' | 'folder' | 'link' | 'device' | 'sparse' | 'other'

/** One member of an archive. */
export interface TarMember {
  /** as it stands in the archive, with all its folders; nothing says that it is a harmless path */
  readonly name: string
  readonly kind: TarKind
  /** where its content lies */
  readonly start: number
  readonly end: number
  /** reads the content into memory */
  readonly read: () => Promise<Uint8Array>
}

const KINDS: Readonly<Record<string, TarKind>> = {
  0: 'file',
  7: 'file',
  1: 'link',
  2: 'link',
  3: 'device',
  4: 'device',
  6: 'device',
  5: 'folder',
  D: 'folder',
  S: 'sparse',
}
/** These have no content, whatever their size says. */
const WITHOUT_CONTENT = new Set(['1', '2', '3', '4', '5', '6'])
/** Headers that tell of the next member, or of all: names longer than 100 bytes, and pax records. */
const TELLING = new Set(['L', 'K', 'x', 'X', 'g'])

/** Bytes of the longest header that tells of another. */
const MAX_TELLING = 2 ** 20
/** Bytes of the longest name. */
const MAX_NAME = 2 ** 14
/** Bytes after the end of an archive in which another one is looked for. */
const MAX_TAIL = 2 ** 20

const COMPRESSED: readonly (readonly [kind: string, begin: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['zip', [0x50, 0x4b, 3, 4]],
]

/**
 * The members of a tar archive in their order: ustar, GNU tar and pax, with long names and sizes of 8 GiB and more. Only headers
 * are read; what is between them is passed over. Nothing is ever written anywhere by a member's name.
 *
 * Links, devices and sparse files are told, not read.
 *
 * @throws TarError for an archive that is compressed, damaged or cut off, and for one with another one behind it
 *
 * @example
 * for await (const { name, read } of tarMembers(source)) console.log(name, (await read()).length)
 */
export async function* tarMembers(source: TarSource): AsyncGenerator<TarMember, void, undefined> {
  const { size, name: archive = 'tar' } = source
  const fail: FailTar = (problem, offset) =>
    new TarError(`${archive}: ${problem} (at byte ${offset} of ${size})`, offset)
  const read = windowed(source)
  let told: Told = {}
  let at = 0
  for (;;) {
    const header = await headerAt(at, size, read, fail)
    if (header === null) break
    const data = at + BLOCK + BLOCK * (await numExtensions(header, size, read, fail))
    const isTelling = TELLING.has(header.type)
    const length = isTelling ? header.size : contentSize(header, told)
    const member = isTelling ? 'a long name or pax header' : JSON.stringify(told.name ?? header.name)
    if (data + length > size) {
      throw fail(`cut off: ${member} needs ${length} bytes; copy or make the archive again`, header.offset)
    }
    if (isTelling) {
      if (length > MAX_TELLING) throw fail(`a header for another of ${length} bytes: the archive is damaged`, at)
      told = { ...told, ...tellingOf(header, await read(data, data + length), fail) }
    } else {
      const kind = told.isSparse === true ? 'sparse' : (KINDS[header.type] ?? 'other')
      const [start, end] = [data, data + length]
      yield { name: told.name ?? header.name, kind, start, end, read: () => read(start, end) }
      told = {}
    }
    at = data + Math.ceil(length / BLOCK) * BLOCK
  }
  if (Object.keys(told).length > 0) throw fail('ends after a long name or pax header that no member follows', at)
  await refuseTail(at, size, read, fail)
}

/** What headers have told of the member to come. */
interface Told {
  readonly name?: string
  readonly size?: number
  readonly isSparse?: boolean
}

/** @returns null where the archive ends */
async function headerAt(at: number, size: number, read: TarSource['read'], fail: FailTar): Promise<TarHeader | null> {
  if (at === 0) {
    const first = await read(0, Math.min(size, BLOCK))
    const kind = COMPRESSED.find(([, begin]) => begin.every((byte, i) => first[i] === byte))?.[0]
    if (kind !== undefined) {
      const why = 'members are read by their place, and pictures are compressed already'
      throw fail(`compressed with ${kind}; unpack it to a plain .tar: ${why}`, 0)
    }
    if (size === 0) throw fail('the file is empty', 0)
    if (size < BLOCK) throw fail('this is no tar archive: it is shorter than a header', 0)
  }
  if (at + BLOCK > size) {
    throw fail('cut off: it ends without the mark that ends an archive; copy or make it again', Math.min(at, size))
  }
  return readTarHeader(await read(at, at + BLOCK), at, fail)
}

/** Blocks between the header of an old GNU sparse file and its content. */
async function numExtensions(
  { isExtended, offset }: TarHeader,
  size: number,
  read: TarSource['read'],
  fail: FailTar,
): Promise<number> {
  let count = 0
  for (let hasMore = isExtended; hasMore; count++) {
    const at = offset + BLOCK * (count + 1)
    if (at + BLOCK > size) throw fail('cut off in the map of a sparse file', offset)
    hasMore = (await read(at, at + BLOCK))[EXTENDED_MORE] !== 0
  }
  return count
}

function contentSize({ type, size }: TarHeader, told: Told): number {
  return WITHOUT_CONTENT.has(type) ? 0 : (told.size ?? size)
}

/** What a long name or a pax header says of the next member. */
function tellingOf({ type, offset }: TarHeader, bytes: Uint8Array, fail: FailTar): Told {
  if (type === 'K') return {}
  if (type === 'L') {
    const end = bytes.indexOf(0)
    return { name: nameOf(textOf(end < 0 ? bytes : bytes.subarray(0, end)), offset, fail) }
  }
  const records = paxRecords(bytes, offset, fail)
  const name = records.get('GNU.sparse.name') ?? records.get('path')
  const size = records.get('size')
  const isSparse = [...records.keys()].some((key) => key.startsWith('GNU.sparse.'))
  if (type === 'g') {
    if (name === undefined && size === undefined && !isSparse) return {}
    throw fail('a global pax header gives all members one name or size: the archive is damaged', offset)
  }
  if (size !== undefined && !(/^\d{1,16}$/.test(size) && Number.isSafeInteger(Number(size)))) {
    throw fail('a pax header gives a size that is none: the archive is damaged', offset)
  }
  return {
    ...(name === undefined ? {} : { name: nameOf(name, offset, fail) }),
    ...(size === undefined ? {} : { size: Number(size) }),
    ...(isSparse ? { isSparse } : {}),
  }
}

function nameOf(name: string, offset: number, fail: FailTar): string {
  if (name.length > MAX_NAME) throw fail(`a name of ${name.length} characters: the archive is damaged`, offset)
  return name
}

/** Archives that were joined by `cat` end for every reader at the end of the first: what follows would be missing without a word. */
async function refuseTail(at: number, size: number, read: TarSource['read'], fail: FailTar): Promise<void> {
  const end = Math.min(size, at + MAX_TAIL)
  for (let start = at; start < end; start += 2 ** 14) {
    const bytes = await read(start, Math.min(end, start + 2 ** 14))
    const found = bytes.findIndex((byte) => byte !== 0)
    if (found < 0) continue
    throw fail(
      'something follows the end of the archive; give archives that were joined with cat one by one, or join them with tar --concatenate',
      start + found,
    )
  }
}
