import { join } from 'node:path'
import { stat } from 'node:fs/promises'
import { readClassNames } from './class-names.js'
import type { FolderScan } from './image-folder.js'
import type { LeftOut } from './left-out.js'
import { openPictures, type PictureDataset, type PictureOptions, pictureSettings } from './picture-dataset.js'
import { type PicturePlace, readMember } from './picture-file.js'
import { printable } from './printable.js'
import { scanShards } from './scan-shards.js'
import { shardPaths } from './shard-paths.js'
import { pictureSetOf } from './shard-set.js'

/** What shards hold by their headers and labels. */
export interface TarShardsScan extends FolderScan {
  /** number of archives */
  readonly numShards: number
  /** the file beside the shards that the class names came from; null where there was none, or `classes` was given */
  readonly classesFrom: string | null
  /** classes without a picture */
  readonly emptyClasses: readonly string[]
}

/** Options of `scanTarShards`. */
export interface TarShardsScanOptions {
  /** class names by number; without it those of `classes.json` beside the shards, or the labels' own */
  readonly classes?: readonly string[]
  /** told of the samples found so far, after each shard */
  readonly onScan?: (numFound: number) => void
  readonly signal?: AbortSignal
}

/** Options of `openTarShards`. */
export interface TarShardsOptions extends PictureOptions, TarShardsScanOptions {
  /** told what was found, before the pictures are checked */
  readonly onScanned?: (scan: TarShardsScan) => void
}

/** Pictures in tar shards as a dataset. */
export interface TarShards extends PictureDataset {
  /** files that are no pictures, or cannot be read as ones, by kind */
  readonly leftOut: readonly LeftOut[]
  /** bytes of each picture's file, by index */
  readonly sizes: readonly number[]
  /** A picture's file as it lies in its shard, not decoded. */
  readFile(index: number): Promise<Uint8Array>
}

/** File of class names beside shards. */
const CLASSES = 'classes.json'

/**
 * Opens pictures in tar archives as WebDataset lays them out: files that follow each other with one key, up to the first dot of
 * the file name, are a sample. It has one picture (`key.jpg`, `key.png` and the other suffixes of `openImageFolder`) and its class:
 * an integer in `key.cls`, or else `label` in `key.json`, an integer or a name. Other files are counted in `leftOut`.
 *
 * Nothing is unpacked. Opening reads the headers of all archives, and decodes every picture once, as `openImageFolder` does; what
 * does not fit the cache is read again by its place when its turn comes. So the order of training is any order, and that of
 * `batches` is the same permutation that a folder with as many pictures has.
 *
 * Names of numbered classes come from `classes`, from `classes.json` beside the shards, or are `class 0`, `class 1` and so on.
 *
 * @param shards  an archive, a folder of them, a list in braces such as `train-{0000..0146}.tar`, several of these joined by `::`, or
 *   an array of them
 * @throws TarShardsError when an archive is missing, compressed, damaged or cut off, when a sample's files lie apart, when no
 *   picture has a label, when labels and class names do not agree, and when pictures cannot be read or have no label: one error that
 *   names the first 20 of them. `skipBad` leaves them out, unless nothing of a class is left
 * @throws RangeError when an option is out of range
 *
 * @example
 * const shards = await openTarShards('shards/train-{0000..0003}.tar', { size: 32 })
 * const { x0, labels } = await shards.read([0, 1]) // x0 [2, 3, 32, 32]
 * await shards.close()
 */
export async function openTarShards(shards: string | readonly string[], options: TarShardsOptions): Promise<TarShards> {
  const settings = pictureSettings('openTarShards', options)
  const { set, scan } = await setAndScan(shards, options)
  options.onScanned?.(scan)
  const { dataset, places } = await openPictures(set, settings, { ...options, rules: 2 })
  // All pictures of shards lie in archives.
  const members = places as readonly Exclude<PicturePlace, string>[]
  return {
    ...dataset,
    leftOut: scan.leftOut,
    sizes: members.map(({ start, end }) => end - start),
    readFile: async (index) => {
      if (members[index] === undefined) {
        throw new RangeError(`openTarShards: index must be in 0..${members.length - 1} (got ${index})`)
      }
      return readMember(members[index])
    },
  }
}

/**
 * What shards hold, by their headers and labels; no picture is decoded.
 *
 * @throws TarShardsError as `openTarShards`
 */
export async function scanTarShards(
  shards: string | readonly string[],
  options: TarShardsScanOptions = {},
): Promise<TarShardsScan> {
  return (await setAndScan(shards, options)).scan
}

async function setAndScan(shards: string | readonly string[], options: TarShardsScanOptions) {
  const paths = await shardPaths(shards)
  const classesFrom = options.classes === undefined ? await classesBeside(paths.folder) : null
  const known = classesFrom === null ? options.classes : await readClassNames(classesFrom)
  const found = await scanShards(paths, options)
  const where = printable(typeof shards === 'string' ? shards : paths.folder)
  const set = pictureSetOf(found, where, known)
  const scan: TarShardsScan = {
    classes: set.classes,
    length: set.files.length,
    leftOut: found.leftOut,
    innerFolders: null,
    numShards: paths.paths.length,
    classesFrom,
    emptyClasses: set.emptyClasses,
  }
  return { set, scan }
}

async function classesBeside(folder: string): Promise<string | null> {
  const path = join(folder, CLASSES)
  return (await stat(path).catch(() => null)) === null ? null : path
}
