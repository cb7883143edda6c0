import { open, stat } from 'node:fs/promises'
import { type SampleKey, sampleKey } from '../tar/sample-key.js'
import { TarError } from '../tar/tar-error.js'
import { type TarMember, tarMembers } from '../tar/tar-members.js'
import type { TarSource } from '../tar/tar-source.js'
import { isPictureName, isVisible } from './file-kinds.js'
import type { UnreadablePicture } from './image-folder-error.js'
import { type LeftOut, type Tally, tally } from './left-out.js'
import type { Archive, PicturePlace } from './picture-file.js'
import { printable } from './printable.js'
import { type SampleLabel, sampleLabel } from './sample-label.js'
import type { ShardPaths } from './shard-paths.js'
import { TarShardsError } from './tar-shards-error.js'

/** A sample with one picture and a label. */
export interface FoundSample {
  /** shard and member, as `train-0000.tar/00017.jpg` */
  readonly path: string
  readonly label: SampleLabel
  readonly place: PicturePlace
}

/** What shards hold, by their headers and labels. */
export interface ShardsScan {
  readonly samples: readonly FoundSample[]
  /** samples with a picture and without a usable label */
  readonly bad: readonly UnreadablePicture[]
  readonly leftOut: readonly LeftOut[]
}

interface ScanOptions {
  readonly onScan?: (numFound: number) => void
  readonly signal?: AbortSignal
}

/**
 * Lists the samples of shards in their order; of the contents only labels are read.
 *
 * @throws TarShardsError for an archive that is no whole tar file, and for a sample in two places of one
 */
export async function scanShards(
  { paths, names }: ShardPaths,
  { onScan, signal }: ScanOptions = {},
): Promise<ShardsScan> {
  const scan: Scan = { samples: [], bad: [], leftOut: tally() }
  for (const [i, path] of paths.entries()) {
    signal?.throwIfAborted()
    try {
      await scanShard(path, names[i], scan, signal)
    } catch (cause) {
      if (!(cause instanceof TarError)) throw cause
      throw new TarShardsError(`openTarShards: ${cause.message}`, [], { cause })
    }
    onScan?.(scan.samples.length)
  }
  return { samples: scan.samples, bad: scan.bad, leftOut: scan.leftOut.list() }
}

interface Scan {
  readonly samples: FoundSample[]
  readonly bad: UnreadablePicture[]
  readonly leftOut: Tally
}

async function scanShard(path: string, name: string, scan: Scan, signal?: AbortSignal): Promise<void> {
  const found = await stat(path)
  if (!found.isFile()) throw new TarShardsError(`openTarShards: ${printable(path)} is not a regular file`)
  const archive: Archive = { path, size: found.size, modified: found.mtimeMs }
  const file = await open(path)
  try {
    const source: TarSource = {
      size: found.size,
      name: printable(path),
      read: async (start, end) => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start)
        if (bytesRead === end - start) return buffer
        throw new TarShardsError(`openTarShards: ${printable(path)} was changed while it was read`)
      },
    }
    await scanSamples(source, archive, name, scan, signal)
  } finally {
    await file.close()
  }
}

/** Files of one key that follow each other are a sample, as in WebDataset. */
async function scanSamples(
  source: TarSource,
  archive: Archive,
  name: string,
  scan: Scan,
  signal?: AbortSignal,
): Promise<void> {
  const seen = new Set<string>()
  let sample = null as Sample | null
  for await (const member of tarMembers(source)) {
    signal?.throwIfAborted()
    const place = keyOf(member, scan.leftOut)
    if (place === null) continue
    const { key, field } = place
    if (key !== sample?.key) {
      if (sample !== null) await addSample(sample, archive, name, scan)
      if (seen.has(key)) throw apart(source, member)
      seen.add(key)
      sample = { key, fields: new Map() }
    }
    if (sample.fields.has(field)) throw twice(source, member)
    sample.fields.set(field, member)
  }
  if (sample !== null) await addSample(sample, archive, name, scan)
}

interface Sample {
  readonly key: string
  readonly fields: Map<string, TarMember>
}

/** @returns null for what belongs to no sample, which is counted unless it is there for a system's sake */
function keyOf({ name, kind }: TarMember, leftOut: Tally): SampleKey | null {
  if (kind === 'folder') return null
  const parts = name.split('/').filter((part) => part !== '.')
  if (!parts.every((part) => isVisible(part, 2))) {
    if (isPictureName(name, 2) && !parts.at(-1)!.startsWith('._')) leftOut.addPicture('hidden')
    return null
  }
  if (kind !== 'file') {
    leftOut.addKind(NAMES[kind], isPictureName(name, 2))
    return null
  }
  // WebDataset's own files about a shard.
  if (/^__[^/]*__($|\/)/.test(name)) return null
  const key = sampleKey(name)
  if (key === null) leftOut.add(name)
  return key
}

const NAMES = {
  link: 'links (pack what they lead to, with tar --dereference --hard-dereference)',
  device: 'devices and pipes',
  sparse: 'sparse files (pack without --sparse)',
  other: 'members of an unknown kind',
} as const

/** A sample with one picture and a label counts; files beside them, and samples without a picture, are counted by their field. */
async function addSample({ key, fields }: Sample, archive: Archive, name: string, scan: Scan): Promise<void> {
  const named = [...fields].filter(([field]) => isPictureName(`.${field}`, 2))
  const pictures = named.filter(([field]) => !field.includes('.'))
  if (pictures.length === 0 && named.length > 0) {
    const reason =
      'the name has more than one dot: the key of a sample goes up to the first, and its picture is key.jpg or the like'
    scan.bad.push({ path: `${name}/${named[0][1].name}`, reason })
    return
  }
  const used = new Set<string>(pictures.length === 0 ? [] : ['cls', fields.has('cls') ? '' : 'json'])
  for (const field of fields.keys()) {
    if (!used.has(field) && !pictures.some(([picture]) => picture === field)) scan.leftOut.addField(field)
  }
  if (pictures.length === 0) return
  const [[, picture]] = pictures
  const path = `${name}/${picture.name}`
  if (pictures.length > 1) {
    const reason = `the sample has ${pictures.length} pictures (${pictures.map(([field]) => field).join(', ')}); one is needed`
    scan.bad.push({ path, reason })
    return
  }
  const found = await sampleLabel(fields, key.slice(key.lastIndexOf('/') + 1))
  if ('reason' in found) scan.bad.push({ path, reason: printable(found.reason) })
  else {
    const { start, end } = picture
    scan.samples.push({ path, label: found.label, place: { archive, start, end } })
  }
}

function apart({ name }: TarSource, member: TarMember): TarShardsError {
  return new TarShardsError(
    `openTarShards: ${name} has files of one sample in two places, the second at ${printable(member.name)} (byte ${member.start}); ` +
      'they must follow each other: make shards with tar --sort=name',
  )
}

function twice({ name }: TarSource, member: TarMember): TarShardsError {
  return new TarShardsError(
    `openTarShards: ${name} has ${printable(member.name)} twice in one sample, the second at byte ${member.start}. The key of a ` +
      'sample goes up to the first dot of the file name: rename files that have more dots',
  )
}
