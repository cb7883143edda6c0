import { readdir, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { isVisible } from './file-kinds.js'
import { printable } from './printable.js'
import { TarShardsError } from './tar-shards-error.js'

/** The shards of a data set. */
export interface ShardPaths {
  /** as they are opened */
  readonly paths: readonly string[]
  /** the same inside the folder that holds all of them, with slashes: the same in a copy elsewhere */
  readonly names: readonly string[]
  /** that folder, absolute */
  readonly folder: string
}

/** Shards that a list may have. */
const MAX_SHARDS = 100_000
const TAR = /\.tar$/i
const COMPRESSED = /\.(tar\.(gz|bz2|xz|zst|lz4|z)|tgz|tbz2?|txz|tzst)$/i

/**
 * Finds shards: a `.tar` file, a folder of them, a list in braces (`train-{0000..0146}.tar`, `{train,extra}.tar`), several of these
 * joined by `::` as WebDataset joins them, or an array.
 *
 * A folder's shards are sorted by character code; lists keep their order.
 *
 * @throws TarShardsError where there are none, one is missing, twice there or compressed
 */
export async function shardPaths(shards: string | readonly string[]): Promise<ShardPaths> {
  const given = typeof shards === 'string' ? shards.split('::') : shards
  const paths: string[] = []
  for (const part of given) {
    for (const path of expandBraces(part)) {
      if (paths.length >= MAX_SHARDS) throw fail(`${printable(part)} names more than ${MAX_SHARDS} shards`)
      const found = await stat(path).catch(() => null)
      if (found === null) throw missing(path, part)
      if (found.isDirectory()) for (const name of await shardsIn(path)) paths.push(join(path, name))
      else paths.push(path)
    }
  }
  if (paths.length === 0) throw fail('no shards were given')
  const packed = paths.find((path) => COMPRESSED.test(path))
  if (packed !== undefined) throw compressed(packed)
  const absolute = paths.map((path) => resolve(path))
  const seen = new Set<string>()
  const twice = absolute.find((path) => seen.size === seen.add(path).size)
  if (twice !== undefined) throw fail(`${printable(twice)} is given twice; its pictures would count twice`)
  const folder = commonFolder(absolute)
  return { paths, names: absolute.map((path) => relative(folder, path).replaceAll(sep, '/')), folder }
}

/**
 * Whether a path means shards rather than a folder of class folders: a list in braces or by `::`, a file of this kind, or a folder
 * that holds such files and no visible folder.
 */
export async function namesTarShards(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  if (found === null) return /::/.test(path) || /\{[^{}]*(,|\.\.)[^{}]*\}/.test(path) || TAR.test(path)
  if (!found.isDirectory()) return TAR.test(path) || COMPRESSED.test(path)
  const entries = (await readdir(path, { withFileTypes: true })).filter(({ name }) => isVisible(name, 2))
  const folders = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isSymbolicLink()) return entry.isDirectory()
      const target = await stat(join(path, entry.name)).catch(() => null)
      return target?.isDirectory() === true
    }),
  )
  return entries.some(({ name }) => TAR.test(name) || COMPRESSED.test(name)) && !folders.includes(true)
}

async function shardsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => isVisible(name, 2))
  const packed = names.find((name) => COMPRESSED.test(name))
  if (packed !== undefined) throw compressed(join(folder, packed))
  const tars = names.filter((name) => TAR.test(name)).toSorted()
  if (tars.length === 0) throw fail(`${printable(folder)} holds no .tar file`)
  return tars
}

/**
 * The texts that a text with braces stands for, as WebDataset and bash have them: `{a,b}`, `{0..9}`, `{000..146}`. A pair of braces
 * without a comma or dots is left as it is.
 *
 * @throws TarShardsError for braces in braces, and for lists of more than 100,000
 */
export function expandBraces(text: string): string[] {
  let texts = ['']
  let rest = text
  for (;;) {
    const found = /^([^{}]*)\{([^{}]*)\}/.exec(rest)
    if (found === null) break
    const [all, before, inside] = found
    const choices = choicesOf(inside, text)
    if (texts.length * choices.length > MAX_SHARDS)
      throw fail(`${printable(text)} names more than ${MAX_SHARDS} shards`)
    texts = texts.flatMap((begun) => choices.map((choice) => begun + before + choice))
    rest = rest.slice(all.length)
  }
  if (/\{[^}]*\{/.test(rest)) throw fail(`${printable(text)} has braces in braces, which are not supported`)
  return texts.map((begun) => begun + rest)
}

function choicesOf(inside: string, text: string): string[] {
  const range = /^(\d+)\.\.(\d+)$/.exec(inside)
  if (range === null) return inside.includes(',') ? inside.split(',') : [`{${inside}}`]
  const [first, last] = [Number(range[1]), Number(range[2])]
  if (last < first) throw fail(`${printable(text)}: the range {${inside}} runs backwards`)
  if (last - first >= MAX_SHARDS) throw fail(`${printable(text)} names more than ${MAX_SHARDS} shards`)
  // With zeros in front of one of them, all are as wide as the wider.
  const isPadded = /^0\d/.test(range[1]) || /^0\d/.test(range[2])
  const width = isPadded ? Math.max(range[1].length, range[2].length) : 0
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i).padStart(width, '0'))
}

function missing(path: string, part: string): TarShardsError {
  const of = path === part ? '' : ` (of ${printable(part)})`
  if (/^(pipe:|[a-z][a-z0-9+]*:\/\/)/i.test(path)) {
    return fail(`${printable(path)} is an address; shards must be files here, so download them first`)
  }
  const hint = /[*?[]/.test(path) ? '; patterns are not expanded: give the folder, or a list such as {0000..0146}' : ''
  return fail(`there is no shard ${printable(path)}${of}${hint}`)
}

function compressed(path: string): TarShardsError {
  return fail(
    `${printable(path)} is compressed; unpack it to a plain .tar, as with gunzip: pictures are compressed already, and ` +
      'they are read by their place in the file',
  )
}

function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0])
  for (const path of paths) {
    while (!dirname(path).startsWith(folder.endsWith(sep) ? folder : folder + sep) && dirname(path) !== folder) {
      if (dirname(folder) === folder) return folder
      folder = dirname(folder)
    }
  }
  return folder
}

function fail(problem: string): TarShardsError {
  return new TarShardsError(`openTarShards: ${problem}`)
}
